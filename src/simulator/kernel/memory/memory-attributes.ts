/** KVM_SET_MEMORY_ATTRIBUTES (kernel-abi 2.11). Legal in every TD state. */
import { KVM_MEMORY_ATTRIBUTE_PRIVATE, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, MemoryAttributesStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';

const u64 = 1n << 64n;

export function setMemoryAttributes(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<MemoryAttributesStruct>,
): Answer {
  const request = user.read();
  if (request === undefined) return refuse('EFAULT');
  if (request.flags !== 0n) return refuse('EINVAL');
  // Only a VM with private memory has an attribute to set.
  const supported = vm.isTd ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n;
  if ((request.attributes & ~supported) !== 0n) return refuse('EINVAL');
  if (request.size === 0n || request.address + request.size >= u64) return refuse('EINVAL');
  if (request.address % PAGE_SIZE !== 0n || request.size % PAGE_SIZE !== 0n) {
    return refuse('EINVAL');
  }

  const start = Number(request.address / PAGE_SIZE);
  const end = start + Number(request.size / PAGE_SIZE);
  const isPrivate = request.attributes !== 0n;
  if (vm.privateRanges.isUniform(start, end, isPrivate)) return done;
  const fault = faultAt(kernel, 'KVM_SET_MEMORY_ATTRIBUTES: allocate');
  if (fault !== undefined) return fault;
  if (isPrivate) {
    vm.privateRanges.add(start, end);
  } else {
    // What becomes shared loses its private mapping.
    zapPrivatePages(kernel, vm, start, end);
    vm.privateRanges.remove(start, end);
  }
  return done;
}
