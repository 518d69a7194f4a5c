/**
 * KVM_CREATE_VCPU (kernel-abi 2.7 and 7.1). The checks run in the order that the kernel's record has:
 * Linux 7.3 holds kvm->lock throughout and looks for a duplicate id early; before, it came last.
 */

import type { CreateVcpuCheck } from '../../../abi/kvm/kernels/kernel-abi.ts';
import type { Answer } from '../../interface.ts';
import { ok, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import { maxVcpuIds } from '../limits.ts';
import type { Vm } from '../objects.ts';
import { hostTsc } from '../vm/clock.ts';
import { newVcpu } from './vcpu.ts';

export function createVcpu(kernel: Kernel, vm: Vm, id: number): Answer {
  for (const check of kernel.abi.createVcpu.checks) {
    const refused = checks[check](kernel, vm, id);
    if (refused !== undefined) return refused;
  }
  // A vCPU's time begins now; the module keeps that of a TD.
  const tscOffset = vm.isTd ? 0n : BigInt.asUintN(64, -hostTsc(kernel));
  const vcpu = newVcpu({ vm, id, tscOffset });
  vm.vcpus.push(vcpu);
  vm.vcpusById.set(id, vcpu);
  vm.references++;
  return ok(kernel.files.install({ kind: 'vcpu', vcpu }));
}

/** Takes back a vCPU whose fd reached nobody, so that the call can be made again. */
export function undoCreateVcpu(vm: Vm, id: number): void {
  const at = vm.vcpus.findIndex((vcpu) => vcpu.id === id);
  // A later one has its index by now, and a TDVPR is the module's: such a vCPU stays until the VM goes.
  if (at !== vm.vcpus.length - 1 || vm.vcpus[at]?.td?.tdvpr !== undefined) return;
  vm.vcpus.pop();
  vm.vcpusById.delete(id);
}

type Check = (kernel: Kernel, vm: Vm, id: number) => Refusal | undefined;

const checks: Readonly<Record<CreateVcpuCheck, Check>> = {
  'id range': (kernel, _vm, id) =>
    id < 0 || id >= maxVcpuIds(kernel.profile.kvmMaxVcpus) ? refuse('EINVAL') : undefined,
  'vCPU limit': (_kernel, vm) => (vm.vcpus.length >= vm.maxVcpus ? refuse('EINVAL') : undefined),
  'id exists': (_kernel, vm, id) => (vm.vcpusById.has(id) ? refuse('EEXIST') : undefined),
  // Sets the limit for good, also when a later step fails.
  max_vcpu_ids: (kernel, vm, id) => {
    if (vm.maxVcpuIds === 0) vm.maxVcpuIds = maxVcpuIds(kernel.profile.kvmMaxVcpus);
    return id >= vm.maxVcpuIds ? refuse('EINVAL') : undefined;
  },
  allocate: (kernel) => faultAt(kernel, 'KVM_CREATE_VCPU: allocate'),
  'td state': (kernel, vm) =>
    vm.td !== undefined && !kernel.abi.createVcpu.when.includes(vm.td.state)
      ? refuse('EIO')
      : undefined,
  irqchip: (_kernel, vm) => (vm.isTd && vm.irqchip !== 'split' ? refuse('EINVAL') : undefined),
  'install the fd': (kernel) => faultAt(kernel, 'KVM_CREATE_VCPU: install the fd'),
};
