/** KVM_CREATE_VCPU (kernel-abi 2.7 and 7.1): the whole call holds kvm->lock. */
import type { Answer } from '../interface.ts';
import { ok, refuse } from './answer.ts';
import { faultAt, type Kernel } from './kernel.ts';
import { maxVcpuIds } from './limits.ts';
import { newVcpu } from './vcpu.ts';
import type { Vm } from './vm.ts';

export function createVcpu(kernel: Kernel, vm: Vm, id: number): Answer {
  const idLimit = maxVcpuIds(kernel.profile.kvmMaxVcpus);
  // 1-3
  if (id < 0 || id >= idLimit) return refuse('EINVAL');
  if (vm.vcpus.length >= vm.maxVcpus) return refuse('EINVAL');
  if (vm.vcpusById.has(id)) return refuse('EEXIST');
  // 4: sets the limit for good, also when a later step fails
  if (vm.maxVcpuIds === 0) vm.maxVcpuIds = idLimit;
  if (id >= vm.maxVcpuIds) return refuse('EINVAL');
  // 5
  const noMemory = faultAt(kernel, 'KVM_CREATE_VCPU: allocate');
  if (noMemory !== undefined) return noMemory;
  if (vm.td !== undefined) {
    // 6, 7
    if (!kernel.abi.createVcpuWhen.includes(vm.td.state)) return refuse('EIO');
    if (vm.irqchip !== 'split') return refuse('EINVAL');
  }
  // 8
  const noFd = faultAt(kernel, 'KVM_CREATE_VCPU: install the fd');
  if (noFd !== undefined) return noFd;

  const vcpu = newVcpu(vm, id);
  vm.vcpus.push(vcpu);
  vm.vcpusById.set(id, vcpu);
  vm.references++;
  return ok(kernel.files.install({ kind: 'vcpu', vcpu }));
}
