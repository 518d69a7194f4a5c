/** `tdctl kill`: the TD is taken down at once, by its keeper or, where that does not answer, with it. */
import { loadAddon } from '../../../../native/index.ts';
import { TdctlError } from '../../../errors/index.ts';
import type { KeptTd } from '../../../keeper/kept-td.ts';
import { isOver } from '../../../keeper/state.ts';
import type { ActingOn, Done } from '../actions.ts';
import { begin, overAlready, type StopOptions, untilOver } from './stop.ts';
import { askFor } from './asked.ts';

export function killing({ wait, timeoutMs }: Pick<StopOptions, 'wait' | 'timeoutMs'>) {
  return async (on: ActingOn): Promise<Done> => {
    const { td } = on;
    if (isOver(td.state)) return overAlready(td);
    const begun = await begin(td, () => end(on));
    return wait === true ? { ...begun, ...(await untilOver(on, timeoutMs)) } : begun;
  };
}
