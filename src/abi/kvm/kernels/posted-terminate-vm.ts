import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

export const postedTerminateVm: KernelAbi = {
  ...upstream73,
  name: 'posted-terminate-vm',
  description: 'the current kernel with KVM_TDX_TERMINATE_VM, which frees the key slot early',
  source: 'Linux 7.3 and "KVM: TDX: Add sub-ioctl KVM_TDX_TERMINATE_VM", lkml, July 2025, 5/5',
  unconfirmed: ['the id of the command: the next one of the enum is assumed'],
  checks: {
    ...upstream73.checks,
    KVM_TDX_TERMINATE_VM: [
      'vm.other-process',
      'vm.dead',
      'command.vm-no-td',
      'command.unreadable',
      'command.hw-error',
      'terminate-vm.vcpu-runs',
    ],
  },
};
