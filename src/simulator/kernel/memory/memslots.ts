/**
 * KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2 follow kvm_set_memory_region() in
 * virt/kvm/kvm_main.c.
 */
import { KVM_MEM_GUEST_MEMFD, KVM_MEM_READONLY, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, MemoryRegionStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, firstRefusal, type Step, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { addressSpaces, KVM_USER_MEM_SLOTS } from '../limits.ts';
import type { GuestMemfd, MemorySlot, Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';
import { newDirtyBitmap } from './dirty-log.ts';
import { guestMemfdOf } from './guest-memfd.ts';
import { pagesOf } from './slot-table.ts';

const KVM_MEM_LOG_DIRTY_PAGES = 1;
const u64 = 1n << 64n;
/** access_ok() stops a page below the end of user space, which is here with 4-level page tables. */
const userSpaceEnd = (1n << 47n) - PAGE_SIZE;
const maxSlotPages = (1n << 31n) - 1n;

/** The changes are those of enum kvm_mr_change, and `none` for a call that changes nothing. */
type Change = 'create' | 'delete' | 'move' | 'flags only' | 'none';

interface RegionCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly region: MemoryRegionStruct;
  readonly old: MemorySlot | undefined;
  readonly change: Change;
  /** Undefined where the descriptor is none of a guest_memfd. */
  readonly memfd: GuestMemfd | undefined;
}

/** The check concerns a change of a slot that exists and stays. */
const ofOld =
  (step: (old: MemorySlot, region: MemoryRegionStruct) => boolean): Step<RegionCall> =>
  ({ old, region, change }) =>
    old !== undefined && change !== 'delete' && step(old, region);

/** The check concerns the guest_memfd that a new slot is to have. */
const ofMemfd =
  (step: Step<RegionCall>): Step<RegionCall> =>
  (call) =>
    call.change === 'create' && hasMemfd(call.region) && step(call);

const steps: Steps<RegionCall> = {
  'memory-region.newer-flag': ({ region }) =>
    (region.flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)) !== 0,
  'memory-region.slot-number': ({ region }) => idOf(region) >= KVM_USER_MEM_SLOTS,
  'memory-region.flags': ({ vm, region }) => (region.flags & ~validFlags(vm, region)) !== 0,
  'memory-region.size-unaligned': ({ region }) => region.memorySize % PAGE_SIZE !== 0n,
  'memory-region.address-unaligned': ({ region }) => region.guestPhysAddr % PAGE_SIZE !== 0n,
  'memory-region.user-address': ({ region: { userspaceAddr, memorySize } }) =>
    userspaceAddr % PAGE_SIZE !== 0n || userspaceAddr + memorySize > userSpaceEnd,
  'memory-region.memfd-offset': ({ region }) =>
    hasMemfd(region) &&
    (region.guestMemfdOffset % PAGE_SIZE !== 0n ||
      region.guestMemfdOffset + region.memorySize >= u64),
  'memory-region.address-space': ({ vm, region }) => spaceOf(region) >= addressSpaces(vm),
  'memory-region.address-wraps': ({ region }) => region.guestPhysAddr + region.memorySize >= u64,
  'memory-region.too-large': ({ region }) => region.memorySize / PAGE_SIZE > maxSlotPages,
  'memory-region.slot-missing': ({ old, change }) => change === 'delete' && old === undefined,
  'memory-region.slot-changed': ofOld((old, region) => hasMemfd(region) || hasMemfd(old)),
  'memory-region.slot-differs': ofOld(
    (old, region) =>
      region.userspaceAddr !== old.userspaceAddr ||
      pageCountOf(region) !== old.pages ||
      ((region.flags ^ old.flags) & KVM_MEM_READONLY) !== 0,
  ),
  'memory-region.overlap': (call) => isPlaced(call) && overlaps(call),
  'kernel.no-memory': ({ kernel, change }) => {
    if (change === 'delete' || change === 'none') return false;
    return faultAt(kernel, 'KVM_SET_USER_MEMORY_REGION: allocate', 'kernel.no-memory');
  },
  'memory-region.memfd-closed': ofMemfd(({ region }) => region.guestMemfd === undefined),
  'memory-region.no-memfd': ofMemfd(({ memfd }) => memfd === undefined),
  'memory-region.memfd-of-other-vm': ofMemfd(({ vm, memfd }) => memfd?.vm !== vm),
  'memory-region.memfd-too-small': ofMemfd(
    ({ region, memfd }) =>
      firstPageOf(region) + pageCountOf(region) > (memfd?.inode.sizePages ?? 0),
  ),
  'memory-region.address-range': (call) => isPlaced(call) && !fitsGuestAddresses(call),
  'memory-region.memfd-taken': ofMemfd(isTaken),
};

export function setUserMemoryRegion(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_SET_USER_MEMORY_REGION' | 'KVM_SET_USER_MEMORY_REGION2',
  user: UserStruct<MemoryRegionStruct>,
): Answer {
  const region = user.read();
  if (region === undefined) return refuse('argument.unreadable');
  const old = vm.slots.get(region.slot);
  const memfd = guestMemfdOf(kernel, region.guestMemfd);
  const call: RegionCall = { kernel, vm, region, old, change: changeOf(region, old), memfd };
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  apply(call);
  return done;
}

function changeOf(region: MemoryRegionStruct, old: MemorySlot | undefined): Change {
  if (region.memorySize === 0n) return 'delete';
  if (old === undefined) return 'create';
  if (baseGfnOf(region) !== old.baseGfn) return 'move';
  return region.flags === old.flags ? 'none' : 'flags only';
}

function apply({ kernel, vm, region, old, change, memfd }: RegionCall): void {
  if (change === 'none') return;
  if (change === 'delete') {
    if (old !== undefined) deleteSlot(kernel, old);
    return;
  }
  const pages = pageCountOf(region);
  const slot: MemorySlot = {
    vm,
    id: idOf(region),
    addressSpace: spaceOf(region),
    baseGfn: baseGfnOf(region),
    pages,
    userspaceAddr: region.userspaceAddr,
    flags: region.flags,
    dirty: isLogged(region) ? (old?.dirty ?? newDirtyBitmap(vm, pages)) : undefined,
    guestMemfd:
      memfd !== undefined && hasMemfd(region)
        ? { memfd, firstPage: firstPageOf(region) }
        : undefined,
  };
  vm.slots.set(slot);
}

function deleteSlot(kernel: Kernel, old: MemorySlot): void {
  zapPrivatePages(kernel, old.vm, pagesOf(old));
  old.vm.slots.delete(old);
}

function idOf({ slot }: MemoryRegionStruct): number {
  return slot & 0xffff;
}

function spaceOf({ slot }: MemoryRegionStruct): number {
  return slot >>> 16;
}

function baseGfnOf({ guestPhysAddr }: MemoryRegionStruct): number {
  return Number(guestPhysAddr / PAGE_SIZE);
}

function pageCountOf({ memorySize }: MemoryRegionStruct): number {
  return Number(memorySize / PAGE_SIZE);
}

/** Gives the page of the guest_memfd that the slot begins with. */
function firstPageOf({ guestMemfdOffset }: MemoryRegionStruct): number {
  return Number(guestMemfdOffset / PAGE_SIZE);
}

function hasMemfd({ flags }: { readonly flags: number }): boolean {
  return (flags & KVM_MEM_GUEST_MEMFD) !== 0;
}

function isLogged({ flags }: MemoryRegionStruct): boolean {
  return (flags & KVM_MEM_LOG_DIRTY_PAGES) !== 0;
}

/** A read-only or dirty-logged slot cannot have a guest_memfd, and a TD's cannot be read-only. */
function validFlags(vm: Vm, region: MemoryRegionStruct): number {
  if (hasMemfd(region)) return KVM_MEM_GUEST_MEMFD;
  return KVM_MEM_LOG_DIRTY_PAGES | (vm.isTd ? 0 : KVM_MEM_READONLY);
}

/** Tells whether the slot gets guest addresses that it does not have yet. */
function isPlaced({ change }: RegionCall): boolean {
  return change === 'create' || change === 'move';
}

function overlaps({ vm, region, old }: RegionCall): boolean {
  const start = baseGfnOf(region);
  const met = vm.slots.meeting(spaceOf(region), { start, end: start + pageCountOf(region) });
  for (const slot of met) if (slot !== old) return true;
  return false;
}

/** The last page must be an address that a guest can have, and for a TD one without the shared bit. */
function fitsGuestAddresses({ vm, region }: RegionCall): boolean {
  const lastGfn = baseGfnOf(region) + pageCountOf(region) - 1;
  if (lastGfn >= 2 ** 40) return false;
  if (vm.td === undefined || vm.td.state === 'UNINITIALIZED') return true;
  return Math.floor(lastGfn / 2 ** (vm.td.sharedBit - 12)) % 2 === 0;
}

/** Tells whether another slot of the VM has some of the pages of the file. */
function isTaken({ vm, region, memfd }: RegionCall): boolean {
  const start = firstPageOf(region);
  const end = start + pageCountOf(region);
  for (const { vm: owner, guestMemfd, pages } of memfd?.bindings ?? []) {
    if (guestMemfd === undefined || owner !== vm) continue;
    if (guestMemfd.firstPage < end && start < guestMemfd.firstPage + pages) return true;
  }
  return false;
}
