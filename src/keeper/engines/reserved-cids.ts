/** Context IDs of kept TDs: also of one that is being made anew, which no process has at that moment. */
import { readKeptTds } from '../kept-tds.ts';
import { isOver } from '../state.ts';
import type { StateDirectory } from '../state-directory.ts';
import { readStatus } from '../status-file.ts';
import { tdFiles } from '../td-files.ts';

/** @param except the TD that looks for one. */
export function reservedCids(state: StateDirectory, except: string): readonly number[] {
  return readKeptTds(state)
    .filter(({ name, state: found }) => name !== except && !isOver(found))
    .flatMap(({ name }) => {
      const status = readStatus(tdFiles(state, name).status);
      return (status.kind === 'read' ? status.file.td?.vmm?.vsockCid : undefined) ?? [];
    });
}
