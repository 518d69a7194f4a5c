/** `tdctl wait`: returns when TDs are as they shall be. */
import { TdctlError } from '../../errors/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { isOver, type KeptState, keptStates, overStates } from '../../keeper/state.ts';
import type { ActingOn, Done } from './actions.ts';
import { awaitTd } from './await.ts';
import { stateInWords } from './in-words.ts';
import type { Goal } from './options.ts';
import { interruptedWaiting } from './refusals.ts';

/** A TD that is further has been there, and comes back no more. */
const furtherThan: Readonly<Partial<Record<Goal, readonly KeptState[]>>> = {
  runnable: ['running', 'paused'],
  over: overStates,
};

export interface WaitOptions {
  readonly goal: Goal;
  readonly timeoutMs?: number | undefined;
}

/** A name that there is not is just what was waited for, where it shall be deleted. */
export function absentFor(goal: Goal): Done | undefined {
  if (goal !== 'deleted') return undefined;
  return { result: 'nothing-to-do', state: null, words: 'nothing to do: there is no such TD' };
}

export function waiting({ goal, timeoutMs }: WaitOptions) {
  return async ({ td: before, state, interrupts }: ActingOn): Promise<Done> => {
    const { name } = before;
    if (isReached(goal, before)) return { ...reached(before), result: 'nothing-to-do' };
    const { td, ended } = await awaitTd(state, {
      name,
      until: (seen) => isReached(goal, seen) || cannotCome(goal, seen),
      signal: interrupts.signal,
      timeoutMs,
    });
    if (isReached(goal, td)) return reached(td);
    if (td === undefined) throw deletedMeanwhile(name, goal);
    if (ended === 'interrupted') throw interruptedWaiting('wait', td);
    if (ended === 'timeout') throw notInTime(td, goal, timeoutMs ?? 0);
    throw neverComes(td, goal);
  };
}

function isReached(goal: Goal, td: KeptTd | undefined): boolean {
  if (td === undefined) return goal === 'deleted';
  return td.state === goal || (furtherThan[goal]?.includes(td.state) ?? false);
}

/** What is over stays as it is, until somebody begins it anew or deletes it. */
function cannotCome(goal: Goal, td: KeptTd | undefined): boolean {
  return goal !== 'deleted' && (td === undefined || isOver(td.state));
}

function reached(td: KeptTd | undefined): Done {
  return td === undefined
    ? { result: 'changed', state: null, words: 'deleted' }
    : { result: 'changed', state: td.state, words: stateInWords(td) };
}

function notInTime(td: KeptTd, goal: Goal, timeoutMs: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_REACHED',
    op: 'wait',
    message: `TD ${td.name} is ${stateInWords(td)} after ${timeoutMs / 1000} s, and not ${goal}`,
    details: td.notes,
    hint: 'a longer --timeout waits on; what is under way goes on in any case',
  });
}

function neverComes(td: KeptTd, goal: Goal): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_REACHED',
    op: 'wait',
    message: `TD ${td.name} is ${td.state} (${keptStates[td.state]}), and will not be ${goal}`,
    details: [...(td.error === null ? [] : [`${td.error.step}: ${td.error.message}`]), ...td.notes],
    hint: td.error?.hint ?? `\`tdctl start ${td.name}\` begins a new life of it`,
  });
}

function deletedMeanwhile(name: string, goal: Goal): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'wait',
    message: `TD ${name} was deleted while it was waited for, and will not be ${goal}`,
  });
}
