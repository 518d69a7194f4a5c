/** `tdctl delete`: the record of a TD that is over. */
import { removeTd } from '../../../keeper/removal.ts';
import { isOver } from '../../../keeper/state.ts';
import type { ActingOn, Done } from '../actions.ts';
import { awaitFree, mostEndingMs } from '../await.ts';
import { notInThisState } from '../refusals.ts';
import { refuseUnreachable } from './asked.ts';
import { stopOnce, untilOver } from './stop.ts';

export interface DeleteOptions {
  /** Stops one that lives first. */
  readonly force?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}

export function deleting({ force, timeoutMs }: DeleteOptions) {
  return async (on: ActingOn): Promise<Done> => {
    const { td, state, interrupts } = on;
    if (!isOver(td.state) && td.state !== 'damaged') {
      if (force !== true) throw notInThisState(td, insteadOf(td.name));
      refuseUnreachable('delete', td);
      await stopOnce(on);
      await untilOver(on, { timeoutMs, again: () => stopOnce(on) });
    }
    await awaitFree(state, td.name, interrupts.signal);
    const isRemoved = await removeTd(state, td.name, { patienceMs: timeoutMs ?? mostEndingMs });
    return isRemoved
      ? { result: 'changed', state: null, words: 'deleted' }
      : { result: 'nothing-to-do', state: null, words: 'nothing to do: it was deleted meanwhile' };
  };
}

function insteadOf(name: string) {
  const hint = `\`tdctl stop ${name} --wait\` ends it first, and \`tdctl delete ${name} --force\` does both`;
  return { op: 'delete', cannot: 'be deleted', hint };
}
