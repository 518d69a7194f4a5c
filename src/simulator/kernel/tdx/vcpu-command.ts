/**
 * KVM_MEMORY_ENCRYPT_OP on a vCPU fd follows tdx_vcpu_unlocked_ioctl() and tdx_vcpu_ioctl() in
 * arch/x86/kvm/vmx/tdx.c. The command is never written back, so hw_error is never reported.
 */
import type { Answer, Caller, TdxRequest } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { firstRefusal } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { resumable } from '../locks.ts';
import type { Vcpu } from '../objects.ts';
import { commandNamed, vcpuCommandSteps } from './command.ts';
import { commandOf, type VcpuCommand } from './context.ts';
import { getCpuid } from './get-cpuid.ts';
import { initMemRegion } from './init-mem-region.ts';
import { initVcpu } from './init-vcpu.ts';

export function tdxVcpuCommand(
  kernel: Kernel,
  caller: Caller,
  vcpu: Vcpu,
  request: TdxRequest,
): Answer {
  if (kernel.tdx === undefined) return refuse('command.no-tdx');
  const { vm, td: tdVcpu } = vcpu;
  if (vm.td === undefined || tdVcpu === undefined) return refuse('command.vcpu-no-td');
  const call: VcpuCommand = {
    kernel,
    tdx: kernel.tdx,
    vm,
    td: vm.td,
    vcpu,
    tdVcpu,
    caller,
    cmd: commandOf(request),
    cmdAgain: commandOf(request),
  };
  return resumable(() => perform(call, request));
}

function perform(call: VcpuCommand, request: TdxRequest): Answer {
  if (commandNamed(call.kernel, request.request) !== undefined) {
    switch (request.request) {
      case 'KVM_TDX_INIT_VCPU':
        return initVcpu(call);
      case 'KVM_TDX_INIT_MEM_REGION':
        return initMemRegion(call, request.data);
      case 'KVM_TDX_GET_CPUID':
        return getCpuid(call, request.data);
    }
  }
  const refused = firstRefusal(call.kernel, 'KVM_MEMORY_ENCRYPT_OP on a vCPU', {
    steps: vcpuCommandSteps,
    call,
  });
  return refused ?? refuse('command.unknown');
}
