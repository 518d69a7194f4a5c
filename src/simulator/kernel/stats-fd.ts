/** KVM_GET_STATS_FD opens a file with the statistics of a VM or vCPU. The file keeps the VM alive. */
import type { Answer } from '../interface.ts';
import { ok } from './answer.ts';
import { faultAt } from './checks.ts';
import type { Kernel } from './kernel.ts';
import type { Vm } from './objects.ts';

export function getStatsFd(kernel: Kernel, vm: Vm): Answer {
  const noFd = faultAt(kernel, 'KVM_GET_STATS_FD: install the fd', 'process.no-descriptor');
  if (noFd !== undefined) return noFd;
  vm.references++;
  return ok(kernel.files.install({ kind: 'stats', vm }));
}
