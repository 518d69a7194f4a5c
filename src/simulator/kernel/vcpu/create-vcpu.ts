/**
 * KVM_CREATE_VCPU follows kvm_vm_ioctl_create_vcpu(). Linux 7.3 holds kvm->lock throughout and checks
 * for a duplicate id early; older kernels check it last.
 */
import type { Answer, Caller } from '../../interface.ts';
import { okWithFile } from '../answer.ts';
import { descriptorStep, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { maxVcpuIds } from '../limits.ts';
import type { Vm } from '../objects.ts';
import { synchronizeTsc } from './guest-tsc.ts';
import { newVcpu } from './vcpu.ts';

interface CreateVcpuCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly id: number;
}

const steps: Steps<CreateVcpuCall> = {
  'create-vcpu.id-range': ({ kernel, id }) =>
    id < 0 || id >= maxVcpuIds(kernel.profile.kvmMaxVcpus),
  'create-vcpu.limit': ({ vm }) => vm.vcpus.length >= vm.maxVcpus,
  'create-vcpu.id-taken': ({ vm, id }) => vm.vcpusById.has(id),
  // This check sets the limit for good, even when a later step fails.
  'create-vcpu.id-limit': ({ kernel, vm, id }) => {
    if (vm.maxVcpuIds === 0) vm.maxVcpuIds = maxVcpuIds(kernel.profile.kvmMaxVcpus);
    return id >= vm.maxVcpuIds;
  },
  'create-vcpu.no-memory': faultStep('create-vcpu.no-memory', 'KVM_CREATE_VCPU: allocate'),
  'create-vcpu.td-state': ({ vm }) => vm.td !== undefined && vm.td.state !== 'INITIALIZED',
  'create-vcpu.td-finalised': ({ vm }) => vm.td?.state === 'RUNNABLE',
  'create-vcpu.irqchip': ({ vm }) => vm.isTd && vm.irqchip !== 'split',
  'create-vcpu.no-descriptor': descriptorStep(
    'create-vcpu.no-descriptor',
    'KVM_CREATE_VCPU: install the fd',
  ),
};

export function createVcpu(kernel: Kernel, caller: Caller, vm: Vm, id: number): Answer {
  const call = { kernel, caller, vm, id };
  const refused = firstRefusal(kernel, 'KVM_CREATE_VCPU', { steps, call });
  if (refused !== undefined) return refused;
  const vcpu = newVcpu({ vm, id, tid: caller.tid ?? caller.mm });
  synchronizeTsc(kernel, vcpu, undefined);
  vm.vcpus.push(vcpu);
  vm.vcpusById.set(id, vcpu);
  vm.references++;
  return okWithFile(kernel.files.install({ kind: 'vcpu', vcpu }));
}

/** Takes back a vCPU whose fd reached nobody, so that the call can be made again. */
export function undoCreateVcpu(vm: Vm, id: number): void {
  const at = vm.vcpus.findIndex((vcpu) => vcpu.id === id);
  // The vCPU stays until the VM goes if a later one has been numbered after it, or if the module holds
  // its TDVPR.
  if (at !== vm.vcpus.length - 1 || vm.vcpus[at]?.td?.tdvpr !== undefined) return;
  vm.vcpus.pop();
  vm.vcpusById.delete(id);
}
