/**
 * KVM_SET_USER_MEMORY_REGION and REGION2. The reference lists the checks (kernel-abi 2.11); their
 * order follows kvm_set_memory_region() in virt/kvm/kvm_main.c.
 */
import { KVM_MEM_GUEST_MEMFD, KVM_MEM_READONLY, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, MemoryRegionStruct, UserStruct } from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import { KVM_MEM_SLOTS_NUM, KVM_USER_MEM_SLOTS } from '../limits.ts';
import type { MemorySlot, Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';
import { newDirtyBitmap } from './dirty-log.ts';
import { guestMemfdOf } from './guest-memfd.ts';

const KVM_MEM_LOG_DIRTY_PAGES = 1;
const u64 = 1n << 64n;
/** The end of user space with 4-level page tables, where access_ok() stops. */
const userSpaceEnd = 1n << 47n;
const maxSlotPages = (1n << 31n) - 1n;

export function setUserMemoryRegion(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_SET_USER_MEMORY_REGION' | 'KVM_SET_USER_MEMORY_REGION2',
  user: UserStruct<MemoryRegionStruct>,
): Answer {
  const region = user.read();
  if (region === undefined) return refuse('EFAULT');
  const v1Flags = KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY;
  if (request === 'KVM_SET_USER_MEMORY_REGION' && (region.flags & ~v1Flags) !== 0) {
    return refuse('EINVAL');
  }
  const id = region.slot & 0xffff;
  const addressSpace = region.slot >>> 16;
  if (id >= KVM_USER_MEM_SLOTS) return refuse('EINVAL');
  if ((region.flags & ~validFlags(vm, region.flags)) !== 0) return refuse('EINVAL');
  if (!isWellFormed(region)) return refuse('EINVAL');
  // A TD has no SMM and so no second address space.
  if (addressSpace >= (vm.isTd ? 1 : 2) || id >= KVM_MEM_SLOTS_NUM) return refuse('EINVAL');
  if (region.guestPhysAddr + region.memorySize >= u64) return refuse('EINVAL');
  if (region.memorySize / PAGE_SIZE > maxSlotPages) return refuse('EINVAL');

  const old = vm.slots.get(region.slot);
  if (region.memorySize === 0n) return deleteSlot(kernel, vm, old);
  return old === undefined
    ? createSlot(kernel, vm, region, id, addressSpace)
    : changeSlot(kernel, vm, region, old);
}

/** A read-only or dirty-logged slot cannot have a guest_memfd, and a TD's cannot be read-only. */
function validFlags(vm: Vm, flags: number): number {
  if ((flags & KVM_MEM_GUEST_MEMFD) !== 0) return KVM_MEM_GUEST_MEMFD;
  return KVM_MEM_LOG_DIRTY_PAGES | (vm.isTd ? 0 : KVM_MEM_READONLY);
}

function isWellFormed(region: MemoryRegionStruct): boolean {
  if (region.memorySize % PAGE_SIZE !== 0n) return false;
  if (region.guestPhysAddr % PAGE_SIZE !== 0n) return false;
  if (region.userspaceAddr % PAGE_SIZE !== 0n) return false;
  if (region.userspaceAddr + region.memorySize > userSpaceEnd) return false;
  if ((region.flags & KVM_MEM_GUEST_MEMFD) === 0) return true;
  return (
    region.guestMemfdOffset % PAGE_SIZE === 0n && region.guestMemfdOffset + region.memorySize < u64
  );
}

function createSlot(
  kernel: Kernel,
  vm: Vm,
  region: MemoryRegionStruct,
  id: number,
  addressSpace: number,
): Answer {
  const baseGfn = Number(region.guestPhysAddr / PAGE_SIZE);
  const pages = Number(region.memorySize / PAGE_SIZE);
  if (overlaps(vm, addressSpace, baseGfn, pages, undefined)) return refuse('EEXIST');
  const fault = faultAt(kernel, 'KVM_SET_USER_MEMORY_REGION: allocate');
  if (fault !== undefined) return fault;
  const bound = bindGuestMemfd(kernel, vm, region, pages);
  if ('ok' in bound) return bound;
  if (!fitsGuestAddresses(vm, baseGfn + pages - 1)) return refuse('EINVAL');

  const slot: MemorySlot = {
    vm,
    id,
    addressSpace,
    baseGfn,
    pages,
    userspaceAddr: region.userspaceAddr,
    flags: region.flags,
    dirty: isLogged(region.flags) ? newDirtyBitmap(vm, pages) : undefined,
    guestMemfd: bound.guestMemfd,
  };
  vm.slots.set(region.slot, slot);
  slot.guestMemfd?.memfd.bindings.add(slot);
  return done;
}

/** Only where it is mapped and its flags can change, and nothing at all of a private slot. */
function changeSlot(kernel: Kernel, vm: Vm, region: MemoryRegionStruct, old: MemorySlot): Answer {
  if (((region.flags | old.flags) & KVM_MEM_GUEST_MEMFD) !== 0) return refuse('EINVAL');
  const pages = Number(region.memorySize / PAGE_SIZE);
  if (region.userspaceAddr !== old.userspaceAddr || pages !== old.pages) return refuse('EINVAL');
  if (((region.flags ^ old.flags) & KVM_MEM_READONLY) !== 0) return refuse('EINVAL');
  const baseGfn = Number(region.guestPhysAddr / PAGE_SIZE);
  const moves = baseGfn !== old.baseGfn;
  if (!moves && region.flags === old.flags) return done;
  if (moves && overlaps(vm, old.addressSpace, baseGfn, pages, old)) return refuse('EEXIST');
  const fault = faultAt(kernel, 'KVM_SET_USER_MEMORY_REGION: allocate');
  if (fault !== undefined) return fault;
  if (moves && !fitsGuestAddresses(vm, baseGfn + pages - 1)) return refuse('EINVAL');
  const dirty = isLogged(region.flags) ? (old.dirty ?? newDirtyBitmap(vm, pages)) : undefined;
  vm.slots.set(region.slot, { ...old, baseGfn, flags: region.flags, dirty });
  return done;
}

function isLogged(flags: number): boolean {
  return (flags & KVM_MEM_LOG_DIRTY_PAGES) !== 0;
}

function deleteSlot(kernel: Kernel, vm: Vm, old: MemorySlot | undefined): Answer {
  if (old === undefined) return refuse('EINVAL');
  zapPrivatePages(kernel, vm, old.baseGfn, old.baseGfn + old.pages);
  old.guestMemfd?.memfd.bindings.delete(old);
  vm.slots.delete((old.addressSpace << 16) | old.id);
  return done;
}

function overlaps(
  vm: Vm,
  addressSpace: number,
  baseGfn: number,
  pages: number,
  except: MemorySlot | undefined,
): boolean {
  for (const slot of vm.slots.values()) {
    if (slot === except || slot.addressSpace !== addressSpace) continue;
    if (baseGfn < slot.baseGfn + slot.pages && slot.baseGfn < baseGfn + pages) return true;
  }
  return false;
}

/** The last page must be an address that a guest can have; on a TD, one without the shared bit. */
function fitsGuestAddresses(vm: Vm, lastGfn: number): boolean {
  if (lastGfn >= 2 ** 40) return false;
  if (vm.td === undefined || vm.td.state === 'UNINITIALIZED') return true;
  return Math.floor(lastGfn / 2 ** (vm.td.sharedBit - 12)) % 2 === 0;
}

type Bound = { readonly guestMemfd: MemorySlot['guestMemfd'] };

function bindGuestMemfd(
  kernel: Kernel,
  vm: Vm,
  region: MemoryRegionStruct,
  pages: number,
): Bound | Refusal {
  if ((region.flags & KVM_MEM_GUEST_MEMFD) === 0) return { guestMemfd: undefined };
  if (region.guestMemfd === undefined) return refuse('EBADF');
  const memfd = guestMemfdOf(kernel, region.guestMemfd);
  if (memfd === undefined) return refuse('EINVAL');
  if (
    ![
      'series-v9',
      'pre-v8',
      'proposal-1',
      'proposal-1a',
      'proposal-1b',
      'proposal-2',
      'rfc-migration-v1',
    ].includes(kernel.abi.name) /* INTERIM */ &&
    memfd.vm !== vm
  )
    return refuse('EINVAL');
  const firstPage = Number(region.guestMemfdOffset / PAGE_SIZE);
  if (firstPage + pages > memfd.inode.sizePages) return refuse('EINVAL');
  for (const slot of memfd.bindings) {
    const other = slot.guestMemfd;
    if (other === undefined || slot.vm !== vm) continue;
    if (firstPage < other.firstPage + slot.pages && other.firstPage < firstPage + pages) {
      return refuse('EEXIST');
    }
  }
  return { guestMemfd: { memfd, firstPage } };
}

/** The slot of address space 0 that holds a guest page. */
export function slotAt(vm: Vm, gfn: number): MemorySlot | undefined {
  for (const slot of vm.slots.values()) {
    if (slot.addressSpace === 0 && gfn >= slot.baseGfn && gfn < slot.baseGfn + slot.pages) {
      return slot;
    }
  }
  return undefined;
}
