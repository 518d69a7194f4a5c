/** The verbs that a keeper is asked for, and that leave the TD whole. What is the case already is its own answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectTd, type KeeperClient } from '../../../keeper/client.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { isOver } from '../../../keeper/state.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { ActingOn, Done } from '../actions.ts';
import { notInThisState, notToBeReached } from '../refusals.ts';

/** How long an answer may take: a vCPU leaves the guest soon, and a machine may be busy. */
export const answerMs = 10_000;

type Act = KeeperClient['act'];

const passive = { start: 'be started', pause: 'be paused', resume: 'be resumed' } as const;

export function asking(verb: 'start' | 'pause' | 'resume') {
  return async ({ td, state }: ActingOn): Promise<Done> => {
    refuseUnreachable(verb, td);
    if (isOver(td.state)) {
      const hint = `\`tdctl start ${td.name}\` begins a new life of it`;
      throw notInThisState(td, { op: verb, cannot: passive[verb], hint });
    }
    const { td: then, changed } = await askFor(state, td, verb);
    const words = changed ? then.state : `nothing to do: it is ${then.state}`;
    return { result: changed ? 'changed' : 'nothing-to-do', state: then.state, words };
  };
}

/** @throws TdctlError where there is nobody who could be asked. */
export function refuseUnreachable(verb: string, td: KeptTd): void {
  if (td.state === 'unknown' || td.state === 'damaged') throw notToBeReached(verb, td);
}

export async function askFor(
  state: StateDirectory,
  { name }: Pick<KeptTd, 'name'>,
  ...[verb, { deadlineMs = answerMs, ...options } = {}]: Parameters<Act>
): Promise<Awaited<ReturnType<Act>>> {
  const begun = performance.now();
  for (;;) {
    const before = readKeptTd(state, name);
    const client = await connectSoon(state, name, deadlineMs);
    try {
      return await client.act(verb, { deadlineMs, ...options });
    } catch (error) {
      if (performance.now() - begun > deadlineMs || !hasMoved(before, readKeptTd(state, name)))
        throw error;
    } finally {
      client.close();
    }
    await delay(retryMs);
  }
}

/** Another keeper has it, or soon will: that is to be asked. */
function hasMoved(before: KeptTd | undefined, now: KeptTd | undefined): boolean {
  return now !== undefined && (now.state === 'moving' || now.keeper?.pid !== before?.keeper?.pid);
}

const retryMs = 50;

/** A keeper takes questions once it has opened its host, and is in the list before. */
async function connectSoon(
  state: StateDirectory,
  name: string,
  deadlineMs: number,
): Promise<KeeperClient> {
  const begun = performance.now();
  for (;;) {
    const before = readKeptTd(state, name);
    try {
      return await connectTd(state, name, { deadlineMs });
    } catch (error) {
      const isBeginning = before?.state === 'creating' && before.keeper?.lives === true;
      if (!isBeginning || performance.now() - begun > deadlineMs) throw error;
      await delay(retryMs);
    }
  }
}
