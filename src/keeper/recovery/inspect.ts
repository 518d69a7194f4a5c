/** A closer look at one TD, for `tdctl show`: what takes longer to find than a list may take. */
import { statSync } from 'node:fs';
import { readKeySlots } from '../../host/kvm/key-slots.ts';
import { type JournalRead, readJournal } from '../journal/read.ts';
import type { StateDirectory } from '../state-directory.ts';
import { tdFiles } from '../td-files.ts';
import { partOfVmLink, vmHoldings } from '../vm-holders.ts';
import { type Conclusion, conclude } from './conclude.ts';
import type { CloserLook, Evidence } from './evidence.ts';
import { glance, lookNow } from './glance.ts';

/** @returns undefined where there is none of that name. @throws TdctlError TDCTL_E_USAGE for what is no name. */
export async function inspectTd(
  state: StateDirectory,
  name: string,
): Promise<Conclusion | undefined> {
  const { directory } = tdFiles(state, name);
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return undefined;
  const evidence = glance(state, name, lookNow({ forMany: false }));
  return conclude({ ...evidence, closer: await lookCloser(state, evidence) });
}

async function lookCloser(state: StateDirectory, evidence: Evidence): Promise<CloserLook> {
  const { name, keeper, files } = evidence;
  const { journal, socket } = tdFiles(state, name);
  const td = files.kind === 'read' ? files.status.td : null;
  // The VMs of a simulated host are no files of the kernel.
  const isReal = td?.host.simulated === false;
  return {
    journalProblems: problemsOf(readJournal(journal), evidence),
    vmHolders: isReal ? vmHoldings(new Set([keeper?.pid ?? 0]), partOfVmLink).found : [],
    socketIsStale: statSync(socket, { throwIfNoEntry: false })?.isSocket() === true,
    keySlotsInUse: isReal ? (await readKeySlots())?.used : undefined,
  };
}

function problemsOf({ tornBytes, corrupt }: JournalRead, { presence }: Evidence): string[] {
  if (corrupt !== undefined) {
    const { line, byte, why } = corrupt;
    return [
      `its journal was changed by something else: record ${line} (byte ${byte}) is not as it was written, ${why}`,
    ];
  }
  // A keeper that lives may be writing it.
  if (tornBytes === 0 || presence === 'lives') return [];
  return [`the last record of its journal was cut off (${tornBytes} bytes) and does not count`];
}
