/** KVM_GET_STATS_FD opens a file with the statistics of a VM or vCPU. The file keeps the VM alive. */
import type { Answer, Caller } from '../interface.ts';
import { okWithFile } from './answer.ts';
import { descriptorStep, firstRefusal, type Steps } from './checks.ts';
import type { Kernel } from './kernel.ts';
import type { Vm } from './objects.ts';

const steps: Steps<{ readonly kernel: Kernel; readonly caller: Caller }> = {
  'process.no-descriptor': descriptorStep(
    'process.no-descriptor',
    'KVM_GET_STATS_FD: install the fd',
  ),
};

export function getStatsFd(kernel: Kernel, caller: Caller, vm: Vm): Answer {
  const call = { kernel, caller };
  const refused = firstRefusal(kernel, 'KVM_GET_STATS_FD', { steps, call });
  if (refused !== undefined) return refused;
  vm.references++;
  return okWithFile(kernel.files.install({ kind: 'stats', vm }));
}
