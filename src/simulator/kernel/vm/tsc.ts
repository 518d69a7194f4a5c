/** KVM_SET_TSC_KHZ and KVM_GET_TSC_KHZ exist on a VM and on a vCPU. */
import type { Answer } from '../../interface.ts';
import { done, ok } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { maxGuestTscKhz } from '../limits.ts';
import type { Vcpu, Vm } from '../objects.ts';

interface TscCall {
  readonly kernel: Kernel;
  readonly on: Vm | Vcpu;
  readonly tscKhz: number;
}

const steps: Steps<TscCall> = {
  // The module has fixed a TD's clock.
  'set-tsc-khz.protected': ({ on }) => on.td !== undefined,
  'set-tsc-khz.range': ({ kernel, tscKhz }) => hasScaling(kernel) && tscKhz >= maxGuestTscKhz,
  // KVM does not check the TD's state: on a TD that is initialised the call has no effect.
  'set-tsc-khz.too-late': ({ on }) => 'vcpus' in on && on.vcpus.length > 0,
  // Without scaling a guest can be held to a faster clock, but not to a slower one.
  'set-tsc-khz.too-slow': ({ kernel, tscKhz }) =>
    !hasScaling(kernel) && tscKhz !== 0 && tscKhz < kernel.profile.platform.tscKhz,
};

export function setVmTscKhz(kernel: Kernel, vm: Vm, tscKhz: number): Answer {
  return setTscKhz('KVM_SET_TSC_KHZ', { kernel, on: vm, tscKhz });
}

export function setVcpuTscKhz(kernel: Kernel, vcpu: Vcpu, tscKhz: number): Answer {
  return setTscKhz('KVM_SET_TSC_KHZ on a vCPU', { kernel, on: vcpu, tscKhz });
}

function setTscKhz(
  request: 'KVM_SET_TSC_KHZ' | 'KVM_SET_TSC_KHZ on a vCPU',
  call: TscCall,
): Answer {
  const { kernel, on, tscKhz } = call;
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  on.tscKhz = tscKhz === 0 ? kernel.profile.platform.tscKhz : tscKhz;
  return done;
}

export function getTscKhz({ tscKhz }: Vm | Vcpu): Answer {
  return ok(tscKhz);
}

function hasScaling({ profile }: Kernel): boolean {
  return profile.platform.features.tscScaling;
}
