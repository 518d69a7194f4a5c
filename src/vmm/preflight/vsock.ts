/** The context ID: a number that one guest of the whole host may have. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { openProblem } from './access.ts';
import { type DeviceFinding, type KernelFiles, kernelFiles } from './finding.ts';

export interface CidHolder {
  readonly cid: number;
  /** `qemu-system-x86 (PID 4711)`. */
  readonly who: string;
}

export function vsockFindings(
  vsock: number | 'auto' | undefined,
  kernel: KernelFiles,
): DeviceFinding[] {
  if (vsock === undefined) return [];
  const field = 'spec.vsock';
  const errno = openProblem(`${kernel.dev}/vhost-vsock`);
  if (errno !== undefined) {
    const problem =
      errno === 'ENOENT'
        ? 'this host has no /dev/vhost-vsock'
        : `/dev/vhost-vsock cannot be opened by this user (${errno})`;
    return [
      {
        field,
        problem,
        remedy: 'load it (modprobe vhost_vsock), and give this user the right to it',
      },
    ];
  }
  const holder = cidHolders(kernel).find(({ cid }) => cid === vsock);
  if (holder === undefined) return [];
  return [
    {
      field,
      problem: `the context ID ${vsock} is taken by ${holder.who}`,
      remedy: 'choose another, or `auto`',
    },
  ];
}

/**
 * The context IDs of the guests that this user may look at. The kernel lists them nowhere: it is what their programs were
 * told on the command line, of those that have the device open.
 */
export function cidHolders({ proc, dev }: KernelFiles = kernelFiles): CidHolder[] {
  return readdirSync(proc).flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const line = readFileSync(`${proc}/${pid}/cmdline`, 'utf8');
      const cid = /guest-cid"?[=:] ?"?(\d+)/.exec(line)?.[1];
      if (cid === undefined) return [];
      const fds = readdirSync(`${proc}/${pid}/fd`);
      const has = fds.some(
        (fd) => readlinkSync(`${proc}/${pid}/fd/${fd}`) === `${dev}/vhost-vsock`,
      );
      const name = readFileSync(`${proc}/${pid}/comm`, 'utf8').trim();
      return has ? [{ cid: Number(cid), who: `${name} (PID ${pid})` }] : [];
    } catch {
      return [];
    }
  });
}
