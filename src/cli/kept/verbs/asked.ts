/** The verbs that a keeper is asked for, and that leave the TD whole. What is the case already is its own answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { NobodyYet } from '../../../keeper/asking/refusals.ts';
import { connectTd, type KeeperClient } from '../../../keeper/client.ts';
import type { Greeting } from '../../../keeper/greeting.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { isOver } from '../../../keeper/state.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { ActingOn, Done } from '../actions.ts';
import { notInThisState, notToBeReached } from '../refusals.ts';
import { keptAgain } from './kept-again.ts';

/** How long an answer may take: a vCPU leaves the guest soon, and a machine may be busy. */
export const answerMs = 10_000;

type Act = KeeperClient['act'];

const passive = { start: 'be started', pause: 'be paused', resume: 'be resumed' } as const;

export function asking(verb: 'start' | 'pause' | 'resume') {
  return async (on: ActingOn): Promise<Done> => {
    const { state } = on;
    refuseUnreachable(verb, on.td);
    const td = await keptAgain(on, on.td);
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

/** Asks whoever has it, also where that is only beginning, or is another one by now. */
export async function askFor(
  state: StateDirectory,
  { name }: Pick<KeptTd, 'name'>,
  ...[verb, { deadlineMs = answerMs, ...options } = {}]: Parameters<Act>
): Promise<Awaited<ReturnType<Act>>> {
  const begun = performance.now();
  for (;;) {
    let client: KeeperClient | undefined;
    try {
      client = await connectTd(state, name, { deadlineMs });
      return await client.act(verb, { deadlineMs, ...options });
    } catch (error) {
      const isOther = isOtherThan(client?.greeting, readKeptTd(state, name));
      const isLate = performance.now() - begun > deadlineMs;
      if (isLate || !(isOther || error instanceof NobodyYet)) throw error;
    } finally {
      client?.close();
    }
    await delay(retryMs);
  }
}

/** Who was asked has the TD no more, or soon will have it no more. */
function isOtherThan(asked: Greeting | undefined, now: KeptTd | undefined): boolean {
  if (asked === undefined || now === undefined) return false;
  return now.state === 'moving' || now.keeper?.pid !== asked.pid;
}

const retryMs = 50;
