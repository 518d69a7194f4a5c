/** A closer look at one TD, for `tdctl show`: what takes longer to find than a list may take. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { sanitize } from '../../errors/sanitize.ts';
import { readKeySlots } from '../../host/kvm/key-slots.ts';
import { type JournalRead, readJournal } from '../journal/read.ts';
import type { StateDirectory } from '../state-directory.ts';
import { tdFiles } from '../td-files.ts';
import { type Conclusion, conclude } from './conclude.ts';
import type { CloserLook, Evidence, VmHolder } from './evidence.ts';
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
    vmHolders: isReal ? vmHolders(keeper?.pid) : [],
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

/** Fds of these keep a VM, and the key slot of its TD. The names are those of virt/kvm/ (kvm_main.c, guest_memfd.c). */
const vmFiles = /\b(?:kvm-vm|kvm-vcpu:\d+|guest[_-]memfd)\b/;

/** @returns processes that may be seen from here and have fds of VMs open, but for one. */
export function vmHolders(except: number | undefined): VmHolder[] {
  return listed('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== except && holdsVm(pid))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

function holdsVm(pid: number): boolean {
  const directory = `/proc/${pid}/fd`;
  return listed(directory).some((fd) => vmFiles.test(linkAt(`${directory}/${fd}`)));
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // It has ended, or may not be looked at.
    return [];
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function commandOf(pid: number): string {
  try {
    return sanitize(readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  } catch {
    return 'a process that has ended';
  }
}
