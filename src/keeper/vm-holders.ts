/** Which processes have VMs open, by what their fds are called: whether a VM is a TD, no file of the kernel tells. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sanitize } from '../errors/sanitize.ts';

export interface VmHolding {
  readonly pid: number;
  /** The name of the process. */
  readonly command: string;
  /** Its fds that count. */
  readonly vms: number;
}

export interface VmHoldings {
  readonly found: readonly VmHolding[];
  /** Whether every process could be looked into, which takes root. */
  readonly isComplete: boolean;
}

/** The second is what stands for a VM under `tdctl exec`. */
const vmLink = /^(?:anon_inode:\[?|\/memfd:)kvm-vm\b/;
/** A VM stays, and its key slot, for as long as anybody has any of these (virt/kvm/kvm_main.c, guest_memfd.c). */
export const partOfVmLink = /\b(?:kvm-vm|kvm-vcpu:\d+|guest[_-]memfd)\b/;

/**
 * @param except are not looked into.
 * @param link is what the fds that count are called.
 */
export function vmHoldings(except: ReadonlySet<number>, link: RegExp = vmLink): VmHoldings {
  const found: VmHolding[] = [];
  let isComplete = true;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || except.has(pid)) continue;
    const links = linksOf(pid, link);
    if (links === 'hidden') isComplete = false;
    else if (links > 0) found.push({ pid, command: commandOf(pid), vms: links });
  }
  return { found, isComplete };
}

function linksOf(pid: number, link: RegExp): number | 'hidden' {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.filter((fd) => link.test(linkOf(`/proc/${pid}/fd/${fd}`))).length;
  } catch (error) {
    // One that has ended meanwhile holds nothing; a kernel thread has no fds.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : 0;
  }
}

function linkOf(path: string): string {
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
