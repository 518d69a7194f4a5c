/**
 * The ioctls of a guest_memfd. KVM_SET_MEMORY_ATTRIBUTES2 follows kvm_gmem_set_attributes() as v8 of
 * in-place conversion has it. It asks neither for the process nor whether the VM is dead.
 */
import { KVM_MEMORY_ATTRIBUTE_PRIVATE, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, MemoryAttributes2Struct, Request } from '../../interface.ts';
import type { Range } from '../../range-map.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { CopiedIn, faultAt, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { GuestMemfd } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';
import { guestPagesOf } from './private-pages.ts';

const u64 = 1n << 64n;

export function guestMemfdIoctl(kernel: Kernel, guestMemfd: GuestMemfd, request: Request): Answer {
  if (request.request !== 'KVM_SET_MEMORY_ATTRIBUTES2') return refuse('file.not-kvm');
  const user = request.attributes;
  const call: AttributesCall = {
    kernel,
    guestMemfd,
    asked: new CopiedIn(() => user.read()),
  };
  const refused = firstRefusal(kernel, 'KVM_SET_MEMORY_ATTRIBUTES2', { steps, call });
  if (refused === undefined) {
    convert(call);
    return done;
  }
  return hasErrorOffset(refused) ? written(call, refused, user) : refused;
}

interface AttributesCall {
  readonly kernel: Kernel;
  readonly guestMemfd: GuestMemfd;
  readonly asked: CopiedIn<MemoryAttributes2Struct>;
}

const steps: Steps<AttributesCall> = {
  'file.not-kvm': () => true,
  'argument.unreadable': ({ asked }) => asked.fails(),
  'memory-attributes2.flags': ({ asked }) => asked.value.flags !== 0n,
  'memory-attributes2.reserved': ({ asked }) => asked.value.reserved.some((field) => field !== 0n),
  'memory-attributes2.no-private-memory': ({ guestMemfd }) => !guestMemfd.vm.isTd,
  'memory-attributes2.unsupported': ({ asked }) =>
    (asked.value.attributes & ~KVM_MEMORY_ATTRIBUTE_PRIVATE) !== 0n,
  'memory-attributes2.range': ({ asked: { value } }) =>
    value.size === 0n || value.offset + value.size >= u64,
  'memory-attributes2.unaligned': ({ asked: { value } }) =>
    value.offset % PAGE_SIZE !== 0n || value.size % PAGE_SIZE !== 0n,
  'memory-attributes2.beyond-file': ({ asked: { value }, guestMemfd }) =>
    (value.offset + value.size) / PAGE_SIZE > BigInt(guestMemfd.inode.sizePages),
  'kernel.no-memory': (call) =>
    !isSetAlready(call) &&
    faultAt(call.kernel, 'KVM_SET_MEMORY_ATTRIBUTES2: allocate', 'kernel.no-memory'),
  // Nobody but a test holds on to a page here: the model knows no pins.
  'memory-attributes2.page-in-use': (call) => {
    const point = 'KVM_SET_MEMORY_ATTRIBUTES2: find a page in use';
    if (isSetAlready(call) || !becomesPrivate(call)) return false;
    return faultAt(call.kernel, point, 'memory-attributes2.page-in-use');
  },
};

/** From the lock of the file on, a failure tells where it was. */
function hasErrorOffset({ check }: Refusal): boolean {
  return check === 'kernel.no-memory' || check === 'memory-attributes2.page-in-use';
}

function written(
  { asked }: AttributesCall,
  refused: Refusal,
  user: { write(value: MemoryAttributes2Struct): boolean },
): Answer {
  const told = { ...asked.value, errorOffset: asked.value.offset };
  return user.write(told) ? refused : refuse('memory-attributes2.unwritable');
}

function convert(call: AttributesCall): void {
  if (isSetAlready(call)) return;
  const { kernel, guestMemfd } = call;
  const pages = pagesOf(call);
  // Whatever maps the pages lets go of them first, in either direction.
  for (const slot of guestMemfd.bindings) {
    zapPrivatePages(kernel, slot.vm, guestPagesOf(slot, pages));
  }
  const { privatePages } = guestMemfd.inode;
  if (becomesPrivate(call)) privatePages.add(pages);
  else privatePages.remove(pages);
}

function isSetAlready(call: AttributesCall): boolean {
  return call.guestMemfd.inode.privatePages.isUniform(pagesOf(call), becomesPrivate(call));
}

function becomesPrivate({ asked }: AttributesCall): boolean {
  return asked.value.attributes !== 0n;
}

function pagesOf({ asked: { value } }: AttributesCall): Range {
  const start = Number(value.offset / PAGE_SIZE);
  return { start, end: start + Number(value.size / PAGE_SIZE) };
}
