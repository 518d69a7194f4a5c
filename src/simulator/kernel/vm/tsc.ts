/** KVM_SET_TSC_KHZ and KVM_GET_TSC_KHZ on a VM and a vCPU (kernel-abi 2.5). */
import type { Answer } from '../../interface.ts';
import { done, ok, refuse } from '../answer.ts';
import type { Kernel } from '../kernel.ts';
import { maxGuestTscKhz } from '../limits.ts';
import type { Vcpu, Vm } from '../objects.ts';

/** No look at the TD's state; without effect on a TD that is initialised. */
export function setVmTscKhz(kernel: Kernel, vm: Vm, tscKhz: number): Answer {
  const { platform } = kernel.profile;
  if (platform.features.tscScaling && tscKhz >= maxGuestTscKhz) return refuse('EINVAL');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  vm.tscKhz = tscKhz === 0 ? platform.tscKhz : tscKhz;
  return done;
}

/** The module has fixed a TD's clock. */
export function setVcpuTscKhz(kernel: Kernel, vcpu: Vcpu, tscKhz: number): Answer {
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

export function getTscKhz({ tscKhz }: Vm | Vcpu): Answer {
  return ok(tscKhz);
}
