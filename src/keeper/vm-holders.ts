/** Which processes have VMs open, by what their fds are called: whether a VM is a TD, no file of the kernel tells. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface VmHolding {
  readonly pid: number;
  /** The name of the process. */
  readonly program: string;
  /** Its fds of VMs. */
  readonly vmFds: number;
}

export interface VmHoldings {
  readonly found: readonly VmHolding[];
  /** Whether every process could be looked into, which takes root. */
  readonly isComplete: boolean;
}

/** The second is what stands for a VM under `tdctl exec`. */
const vmLink = /^(?:anon_inode:\[?|\/memfd:)kvm-vm\b/;

/** @param except are not looked into. */
export function vmHoldings(except: ReadonlySet<number>): VmHoldings {
  const found: VmHolding[] = [];
  let isComplete = true;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || except.has(pid)) continue;
    const links = linksOf(pid);
    if (links === 'hidden') isComplete = false;
    else if (links > 0) found.push({ pid, program: commandOf(pid), vmFds: links });
  }
  return { found, isComplete };
}

function linksOf(pid: number): number | 'hidden' {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return fds.filter((fd) => vmLink.test(linkOf(`/proc/${pid}/fd/${fd}`))).length;
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
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'a process that has ended';
  }
}
