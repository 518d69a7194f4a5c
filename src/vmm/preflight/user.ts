/** What this process may do, by the kernel's own list. */
import { readFileSync } from 'node:fs';
import type { KernelFiles } from './finding.ts';

/** CAP_NET_ADMIN (include/uapi/linux/capability.h). */
const netAdmin = 12n;

export function mayAdministerNetworks({ proc }: KernelFiles): boolean {
  const status = readFileSync(`${proc}/self/status`, 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> netAdmin) & 1n) === 1n;
}

export function isInGroup(gid: number): boolean {
  return process.getegid?.() === gid || (process.getgroups?.() ?? []).includes(gid);
}
