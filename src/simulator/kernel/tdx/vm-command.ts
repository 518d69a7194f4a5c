/** KVM_MEMORY_ENCRYPT_OP on a VM fd follows tdx_vm_ioctl() in arch/x86/kvm/vmx/tdx.c. */
import type { Answer, Caller, TdxRequest } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { firstRefusal } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { resumable } from '../locks.ts';
import type { Vm } from '../objects.ts';
import { tdxCapabilities } from './capabilities.ts';
import { commandNamed, vmCommandSteps, writtenBack } from './command.ts';
import { commandOf, type TdCommand } from './context.ts';
import { finalizeVm } from './finalize-vm.ts';
import { initVm } from './init-vm.ts';
import { terminateVm } from './terminate-vm.ts';

export function tdxVmCommand(kernel: Kernel, caller: Caller, vm: Vm, request: TdxRequest): Answer {
  if (vm.td === undefined || kernel.tdx === undefined) return refuse('command.vm-no-td');
  const cmd = commandOf(request);
  const call: TdCommand = { kernel, tdx: kernel.tdx, vm, td: vm.td, caller, cmd };
  return resumable(() => writtenBack(call, request, perform(call, request)));
}

function perform(call: TdCommand, request: TdxRequest): Answer {
  const command = commandNamed(call.kernel, request.request);
  if (command !== undefined) {
    switch (request.request) {
      case 'KVM_TDX_CAPABILITIES':
        return tdxCapabilities(call, request.data);
      case 'KVM_TDX_INIT_VM':
        return initVm(call, request.data);
      case 'KVM_TDX_FINALIZE_VM':
        return finalizeVm(call);
      case 'KVM_TDX_TERMINATE_VM':
        return terminateVm(call);
    }
  }
  const refused = firstRefusal(call.kernel, 'KVM_MEMORY_ENCRYPT_OP', {
    steps: vmCommandSteps,
    call,
  });
  return refused ?? refuse('command.unknown');
}
