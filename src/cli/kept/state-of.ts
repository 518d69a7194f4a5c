/** Where the TDs of whoever runs the command are kept. */
import { openStateDirectory, type StateDirectory } from '../../keeper/state-directory.ts';
import type { CommandIo } from '../io.ts';

/** Nothing is made: where no TD was ever kept there is no directory, and none is found in it. */
export function keptState({ env }: CommandIo): Promise<StateDirectory> {
  return openStateDirectory(env, { create: false });
}
