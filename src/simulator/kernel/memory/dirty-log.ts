/**
 * KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG. No guest writes here, so a page is dirty only because
 * KVM_DIRTY_LOG_INITIALLY_SET says so at first. Order: virt/kvm/kvm_main.c, Linux 7.3.
 */
import type {
  Answer,
  ClearDirtyLogStruct,
  DirtyLogStruct,
  UserBytes,
  UserStruct,
} from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { KVM_USER_MEM_SLOTS } from '../limits.ts';
import type { MemorySlot, Vm } from '../objects.ts';

/** The bitmap of a slot that is logged: whole words of 64 pages. */
export function newDirtyBitmap(vm: Vm, pages: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(pages));
  if (!manualProtect(vm).initiallySet) return bitmap;
  for (let page = 0; page < pages; page++) {
    bitmap[page >>> 3] = (bitmap[page >>> 3] ?? 0) | (1 << (page & 7));
  }
  return bitmap;
}

export function getDirtyLog(vm: Vm, user: UserStruct<DirtyLogStruct>, bitmap: UserBytes): Answer {
  const log = user.read();
  if (log === undefined) return refuse('EFAULT');
  const dirty = loggedSlot(vm, log.slot)?.dirty;
  const refused = refusal(vm, log.slot, dirty);
  if (refused !== undefined || dirty === undefined) return refused ?? refuse('ENOENT');
  const written = new Uint8Array(dirty);
  if (!manualProtect(vm).enabled) dirty.fill(0);
  return bitmap.write(written) ? done : refuse('EFAULT');
}

export function clearDirtyLog(
  vm: Vm,
  user: UserStruct<ClearDirtyLogStruct>,
  bitmap: UserBytes,
): Answer {
  const log = user.read();
  if (log === undefined) return refuse('EFAULT');
  const { slot: id, numPages, firstPage } = log;
  const slot = loggedSlot(vm, id);
  const refused = refusal(vm, id, slot?.dirty, firstPage % 64n !== 0n);
  if (refused !== undefined || slot?.dirty === undefined) return refused ?? refuse('ENOENT');
  const left = BigInt(slot.pages) - firstPage;
  if (left < 0n || BigInt(numPages) > left) return refuse('EINVAL');
  // Only the last word of a slot may be less than whole.
  if (BigInt(numPages) < left && numPages % 64 !== 0) return refuse('EINVAL');
  const cleared = bitmap.read(bitmapBytes(numPages));
  if (cleared === undefined) return refuse('EFAULT');
  const first = Number(firstPage) / 8;
  for (const [at, bits] of cleared.entries()) {
    slot.dirty[first + at] = (slot.dirty[first + at] ?? 0) & ~bits;
  }
  return done;
}

function refusal(
  vm: Vm,
  slot: number,
  dirty: Uint8Array | undefined,
  unaligned = false,
): Refusal | undefined {
  // A VM with dirty rings has no bitmaps.
  if (vm.caps.dirtyRingBytes !== 0) return refuse('ENXIO');
  if (slot >>> 16 >= (vm.isTd ? 1 : 2)) return refuse('EINVAL');
  if ((slot & 0xffff) >= KVM_USER_MEM_SLOTS || unaligned) return refuse('EINVAL');
  return dirty === undefined ? refuse('ENOENT') : undefined;
}

function loggedSlot(vm: Vm, id: number): MemorySlot | undefined {
  return vm.slots.get(id);
}

function manualProtect({ caps }: Vm): {
  readonly enabled: boolean;
  readonly initiallySet: boolean;
} {
  const enabled = (caps.manualDirtyLog & 1n) !== 0n;
  return { enabled, initiallySet: enabled && (caps.manualDirtyLog & 2n) !== 0n };
}

function bitmapBytes(pages: number): number {
  return Math.ceil(pages / 64) * 8;
}
