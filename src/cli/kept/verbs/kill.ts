/** `tdctl kill`: the TD is taken down at once, by its keeper or, where that does not answer, with it. */
import { TdctlError } from '../../../errors/index.ts';
import { killKeeper } from '../../../keeper/kill-keeper.ts';
import { isOver } from '../../../keeper/state.ts';
import type { ActingOn, Done } from '../actions.ts';
import { awaitTd } from '../await.ts';
import { askFor } from './asked.ts';
import { begin, overAlready, type StopOptions, untilOver } from './stop.ts';

/** Whoever kills waits for no answer for long. */
const answerMs = 2000;
/** The kernel ends a process soon, but for what it takes down with it. */
const mostEndingMs = 5000;

export function killing({ wait, timeoutMs }: Pick<StopOptions, 'wait' | 'timeoutMs'>) {
  return async (on: ActingOn): Promise<Done> => {
    const { td } = on;
    if (isOver(td.state)) return overAlready(td);
    const begun = await begin(on, async () => (await asked(on)) ?? killed(on));
    if (wait !== true) return begun;
    return { ...begun, ...(await untilOver(on, { timeoutMs, again: () => killed(on) })) };
  };
}

/** @returns undefined where its keeper does not answer. */
async function asked({ td, state }: ActingOn) {
  if (['unknown', 'damaged', 'unkept'].includes(td.state)) return undefined;
  try {
    return await askFor(state, td, 'kill', { deadlineMs: answerMs });
  } catch (error) {
    if (error instanceof TdctlError && error.code === 'TDCTL_E_NOT_ANSWERING') return undefined;
    throw error;
  }
}

async function killed({ td, state, interrupts }: ActingOn) {
  const changed = await killKeeper(state, td.name);
  const seen = await awaitTd(state, {
    name: td.name,
    until: (now) => now?.keeper?.lives !== true && now?.state !== 'unkept',
    signal: interrupts.signal,
    timeoutMs: mostEndingMs,
  });
  return { td: seen.td ?? td, changed };
}
