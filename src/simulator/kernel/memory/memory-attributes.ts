/** KVM_SET_MEMORY_ATTRIBUTES is modelled on virt/kvm/kvm_main.c. It is legal in every TD state. */
import { KVM_MEMORY_ATTRIBUTE_PRIVATE, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, MemoryAttributesStruct, UserStruct } from '../../interface.ts';
import type { Range } from '../../range-map.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultAt, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';

const u64 = 1n << 64n;

interface AttributesCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly asked: CopiedIn<MemoryAttributesStruct>;
}

const steps: Steps<AttributesCall> = {
  'request.unknown-on-vm': () => true,
  'argument.unreadable': ({ asked }) => asked.fails(),
  'memory-attributes.flags': ({ asked }) => asked.value.flags !== 0n,
  'memory-attributes.unsupported': ({ vm, asked }) => {
    const supported = vm.isTd ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0n;
    return (asked.value.attributes & ~supported) !== 0n;
  },
  'memory-attributes.range': ({ asked: { value } }) =>
    value.size === 0n || value.address + value.size >= u64,
  'memory-attributes.unaligned': ({ asked: { value } }) =>
    value.address % PAGE_SIZE !== 0n || value.size % PAGE_SIZE !== 0n,
  'kernel.no-memory': (call) =>
    !isSetAlready(call) &&
    faultAt(call.kernel, 'KVM_SET_MEMORY_ATTRIBUTES: allocate', 'kernel.no-memory'),
};

export function setMemoryAttributes(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<MemoryAttributesStruct>,
): Answer {
  const call = { kernel, vm, asked: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_SET_MEMORY_ATTRIBUTES', { steps, call });
  if (refused !== undefined) return refused;
  if (isSetAlready(call)) return done;
  const pages = pagesOf(call.asked.value);
  if (isPrivate(call.asked.value)) {
    vm.privateRanges.add(pages);
  } else {
    // A page that becomes shared loses its private mapping.
    zapPrivatePages(kernel, vm, pages);
    vm.privateRanges.remove(pages);
  }
  return done;
}

function isSetAlready({ vm, asked }: AttributesCall): boolean {
  return vm.privateRanges.isUniform(pagesOf(asked.value), isPrivate(asked.value));
}

function pagesOf({ address, size }: MemoryAttributesStruct): Range {
  const start = Number(address / PAGE_SIZE);
  return { start, end: start + Number(size / PAGE_SIZE) };
}

function isPrivate({ attributes }: MemoryAttributesStruct): boolean {
  return attributes !== 0n;
}
