/** `tdctl stop`: the TD is taken down. */
import { TdctlError } from '../../../errors/index.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { isOver, type KeptState } from '../../../keeper/state.ts';
import type { ActingOn, Done } from '../actions.ts';
import { awaitTd, isFree } from '../await.ts';
import { age, stateInWords } from '../in-words.ts';
import { interruptedWaiting } from '../refusals.ts';
import { askFor, refuseUnreachable } from './asked.ts';
import { keptAgain } from './kept-again.ts';

export interface StopOptions {
  /** Until its end is seen. */
  readonly wait?: boolean | undefined;
  /** How long `wait` waits. */
  readonly timeoutMs?: number | undefined;
  /** How long the guest has to end by itself. */
  readonly graceMs?: number | undefined;
}

export function stopping({ wait, timeoutMs, graceMs }: StopOptions) {
  return async (on: ActingOn): Promise<Done> => {
    const { td } = on;
    if (isOver(td.state)) return overAlready(td);
    refuseUnreachable('stop', td);
    const begun = await stopOnce(on, graceMs);
    const again = () => stopOnce(on, graceMs);
    if (wait === true) return { ...begun, ...(await untilOver(on, { timeoutMs, again })) };
    // The keeper gives it that time, and this command need not stay for it.
    const isGiven = graceMs !== undefined && begun.state === 'running';
    return isGiven
      ? { ...begun, words: `running; it has ${age(graceMs)} to end by itself` }
      : begun;
  };
}

/** Its keeper is asked, which is another one where it has died. */
export async function stopOnce(
  on: Pick<ActingOn, 'td' | 'state' | 'interrupts' | 'io'>,
  graceMs?: number | undefined,
): Promise<Done> {
  const { td, state } = on;
  await keptAgain(on, readKeptTd(state, td.name) ?? td);
  return begin(on, () => askFor(state, td, 'stop', { graceMs }));
}

interface Begun {
  readonly td: KeptTd;
  readonly changed: boolean;
}

/** Of a keeper that is gone nobody can be asked, and the kernel is at it already. */
export async function begin(
  on: Pick<ActingOn, 'td' | 'state'>,
  ask: () => Promise<Begun>,
): Promise<Done> {
  const { td } = on;
  const isGone = td.state === 'draining';
  const { td: then, changed } = isGone ? { td, changed: false } : await unlessOver(on, ask);
  const words = stateInWords(then);
  return changed
    ? { result: 'changed', state: then.state, words }
    : { result: 'nothing-to-do', state: then.state, words: `nothing to do: it is ${words}` };
}

/** Another may have ended it since it was looked at, and nobody is there to be asked any more. */
async function unlessOver(
  { td, state }: Pick<ActingOn, 'td' | 'state'>,
  ask: () => Promise<Begun>,
): Promise<Begun> {
  try {
    return await ask();
  } catch (error) {
    const seen = readKeptTd(state, td.name);
    if (seen !== undefined && isOver(seen.state)) return { td: seen, changed: false };
    throw error;
  }
}

export function overAlready(td: KeptTd): Done {
  return { result: 'nothing-to-do', state: td.state, words: `nothing to do: it is ${td.state}` };
}

/**
 * A success is what is seen, and never what was asked: the keeper has given everything back, or is gone and the
 * kernel with it. A keeper that dies before it has done that leaves a TD that QEMU has: then it is asked for again.
 */
export async function untilOver(
  { td: { name }, state, interrupts }: Pick<ActingOn, 'td' | 'state' | 'interrupts'>,
  { timeoutMs = Number.POSITIVE_INFINITY, again }: UntilOver,
): Promise<{ readonly state: KeptState | null; readonly words: string }> {
  const endsAt = performance.now() + timeoutMs;
  const seen = () =>
    awaitTd(state, {
      name,
      until: (now) => isFree(now) || now?.state === 'unkept',
      signal: interrupts.signal,
      timeoutMs: endsAt - performance.now(),
    });
  let { td, ended } = await seen();
  while (ended === 'reached' && td?.state === 'unkept') {
    await again();
    ({ td, ended } = await seen());
  }
  if (td === undefined) return { state: null, words: 'over, and its record was deleted' };
  if (ended === 'interrupted') throw interruptedWaiting('stop', td);
  if (ended === 'timeout') throw draining(td, timeoutMs);
  if (td.state === 'stuck') throw stuck(td);
  return { state: td.state, words: td.state };
}

interface UntilOver {
  readonly timeoutMs?: number | undefined;
  /** Asks once more for what is waited for. */
  readonly again: () => Promise<unknown>;
}

function draining(td: KeptTd, timeoutMs: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_DRAINING',
    op: 'stop',
    message: `TD ${td.name} is ${stateInWords(td)} after ${timeoutMs / 1000} s: what it holds is being given back, and its key slot is not free yet`,
    details: td.notes,
    hint: `nothing is to be done but to wait: \`tdctl wait ${td.name} --for over\``,
  });
}

function stuck({ name, notes, error }: KeptTd): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_STUCK',
    op: 'stop',
    message: `TD ${name} is over, and something of it could not be given back`,
    details: [...(error === null ? [] : [error.message]), ...notes],
    hint: `\`tdctl show ${name}\` says what; \`tdctl host\` says which key slots are held by nobody`,
  });
}
