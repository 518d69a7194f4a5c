/** The processes that have the kept TDs: their keepers, and the VMMs of those that a VMM has. */
import type { KeptTd } from './kept-td.ts';
import { isThere, vantage } from './presence.ts';
import type { StateDirectory } from './state-directory.ts';
import { readStatus } from './status-file.ts';
import { tdFiles } from './td-files.ts';

export function processesOfKeptTds(state: StateDirectory, tds: readonly KeptTd[]): number[] {
  const from = vantage();
  return tds.flatMap(({ name, keeper }) => {
    const read = readStatus(tdFiles(state, name).status);
    const vmm = read.kind === 'read' ? read.file.td?.vmm : undefined;
    const ofVmm = vmm !== undefined && isThere(vmm, from) ? [vmm.pid] : [];
    return [...(keeper?.lives ? [keeper.pid] : []), ...ofVmm];
  });
}
