/** What a keeper in a unit may take of the host, where the host counts it for each cgroup (cgroup v2). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../errors/errno.ts';
import { writeKernelFile } from '../../files/index.ts';

const mib = 2 ** 20;
/**
 * A keeper without its TD: its pages and those of the kernel for it. Measured (docs/systemd.md), and twice that, since
 * one that reaches its limit is killed.
 */
const keeperBytes = 192 * mib;
/** What the kernel keeps of each vCPU: kvm_run, APIC page, thread with its stack. A guess that is too high. */
const bytesOfVcpu = mib;
/**
 * Page tables: 8 bytes for each 4 KiB page, once of the kernel's and once of the TDX module's (Secure EPT), and as
 * much again for what lies above them and what is not full.
 */
const tablesShare = 4 * (8 / 4096);

/** MemoryMax of its unit: the memory of the TD and of its keeper. */
export function memoryMaxBytes({
  memoryBytes,
  vcpus,
}: {
  readonly memoryBytes: number;
  readonly vcpus: number;
}): number {
  return Math.ceil(memoryBytes * (1 + tablesShare)) + vcpus * bytesOfVcpu + keeperBytes;
}

/** A thread for each vCPU, and those of Node, of the addon and of what tells systemd: twice, while the TD moves. */
export function tasksMax({ vcpus }: { readonly vcpus: number }): number {
  return 2 * (vcpus + 64);
}

export interface CgroupPlace {
  readonly root: string;
  /** The path of /proc/self/cgroup. */
  readonly self: string;
}

const thisProcess: CgroupPlace = { root: '/sys/fs/cgroup', self: '/proc/self/cgroup' };

/** Whether the host counts memory for each cgroup of version 2. */
export function countsMemory({ root } = thisProcess): boolean {
  try {
    return / ?\bmemory\b/.test(readFileSync(join(root, 'cgroup.controllers'), 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Allows the cgroup of this process so many key slots. systemd has no property for it.
 *
 * @returns undefined where it is set, else why it is not, in words.
 */
export function limitSlots(slots: number, { root, self } = thisProcess): string | undefined {
  const path = ownCgroup(self);
  if (path === undefined) return 'this host has no cgroup v2';
  if (path === '/') return 'the keeper is in the root cgroup, which has no limits';
  const file = join(root, path, 'misc.max');
  if (!existsSync(file)) {
    return 'the misc controller is not on for the unit: write `+misc` to cgroup.subtree_control of the cgroups above it';
  }
  try {
    writeKernelFile(file, `tdx ${slots}\n`);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error) ?? 'no errno';
    // EINVAL: the kernel counts no key slots.
    return errno === 'EINVAL'
      ? 'this kernel counts no key slots of TDX'
      : `misc.max of the unit cannot be written (${errno})`;
  }
}

function ownCgroup(self: string): string | undefined {
  try {
    return /^0::(\/.*)$/m.exec(readFileSync(self, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
