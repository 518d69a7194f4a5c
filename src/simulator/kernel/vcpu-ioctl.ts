/** ioctls of a vCPU fd. */
import type { Answer, Caller, Request } from '../interface.ts';
import { done, refuse } from './answer.ts';
import { setCpuid2 } from './cpuid.ts';
import type { Kernel } from './kernel.ts';
import { maxGuestTscKhz } from './limits.ts';
import { preFaultMemory } from './pre-fault-memory.ts';
import { tdxVcpuCommand } from './tdx/vcpu-command.ts';
import type { Vcpu } from './vcpu.ts';

export function vcpuIoctl(kernel: Kernel, caller: Caller, vcpu: Vcpu, request: Request): Answer {
  // G1
  if (caller.mm !== vcpu.vm.mm || vcpu.vm.dead) return refuse('EIO');
  // vcpu->mutex: a signal is what ends the wait for a KVM_RUN.
  if (vcpu.run !== undefined) return refuse('EINTR');
  switch (request.request) {
    case 'KVM_PRE_FAULT_MEMORY':
      return preFaultMemory(kernel, caller, vcpu, request.range);
    case 'KVM_SET_CPUID2':
      return setCpuid2(kernel, vcpu, request.cpuid);
    case 'KVM_SET_TSC_KHZ':
      return setTscKhz(kernel, vcpu, request.tscKhz);
    case 'KVM_MEMORY_ENCRYPT_OP':
    case 'KVM_TDX_CAPABILITIES':
    case 'KVM_TDX_INIT_VM':
    case 'KVM_TDX_INIT_VCPU':
    case 'KVM_TDX_INIT_MEM_REGION':
    case 'KVM_TDX_FINALIZE_VM':
    case 'KVM_TDX_GET_CPUID':
    case 'KVM_TDX_TERMINATE_VM':
      return tdxVcpuCommand(kernel, caller, vcpu, request);
    default:
      return refuse('EINVAL');
  }
}

/** kernel-abi 2.5: the module has fixed a TD's clock. */
function setTscKhz(kernel: Kernel, vcpu: Vcpu, tscKhz: number): Answer {
  if (vcpu.td !== undefined) return refuse('EINVAL');
  const { platform } = kernel.profile;
  if (platform.features.tscScaling && tscKhz >= maxGuestTscKhz) return refuse('EINVAL');
  // Without scaling a guest can be held to a faster clock, not to a slower one.
  if (!platform.features.tscScaling && tscKhz !== 0 && tscKhz < platform.tscKhz) {
    return refuse('EINVAL');
  }
  vcpu.tscKhz = tscKhz === 0 ? platform.tscKhz : tscKhz;
  return done;
}
