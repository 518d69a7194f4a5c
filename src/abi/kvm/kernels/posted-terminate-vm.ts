import type { KernelAbi } from './kernel-abi.ts';
import { upstream73 } from './upstream-7.3.ts';

export const postedTerminateVm: KernelAbi = {
  ...upstream73,
  name: 'posted-terminate-vm',
  description: 'the current kernel with KVM_TDX_TERMINATE_VM, which frees the key slot early',
  source: 'Linux 7.3 and "KVM: TDX: Add sub-ioctl KVM_TDX_TERMINATE_VM", lkml, July 2025, 5/5',
  unconfirmed: ['the id of the command: the next one of the enum is assumed'],
  tdxCommands: [...upstream73.tdxCommands, 'KVM_TDX_TERMINATE_VM'],
};
