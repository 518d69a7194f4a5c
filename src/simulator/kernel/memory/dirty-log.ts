/**
 * KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG report the dirty pages of a slot. No guest writes here, so
 * a page is dirty only because KVM_DIRTY_LOG_INITIALLY_SET says so at first.
 */
import type {
  Answer,
  ClearDirtyLogStruct,
  DirtyLogStruct,
  UserBytes,
  UserStruct,
} from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { addressSpaces, KVM_USER_MEM_SLOTS } from '../limits.ts';
import type { MemorySlot, Vm } from '../objects.ts';

/** A slot that is logged has a bitmap of whole words, each of 64 pages. */
export function newDirtyBitmap(vm: Vm, pages: number): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes(pages));
  if (!manualProtect(vm).initiallySet) return bitmap;
  const whole = Math.floor(pages / 8);
  bitmap.fill(0xff, 0, whole);
  bitmap[whole] = (1 << (pages % 8)) - 1;
  return bitmap;
}

interface LogCall {
  readonly vm: Vm;
  readonly slotNumber: number;
  readonly slot: MemorySlot | undefined;
}

const loggedSlotSteps: Steps<LogCall> = {
  'dirty-log.rings': ({ vm }) => vm.caps.dirtyRingBytes !== 0,
  'dirty-log.slot-number': ({ vm, slotNumber }) =>
    slotNumber >>> 16 >= addressSpaces(vm) || (slotNumber & 0xffff) >= KVM_USER_MEM_SLOTS,
  'dirty-log.not-logged': ({ slot }) => slot?.dirty === undefined,
};

export function getDirtyLog(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<DirtyLogStruct>,
  bitmap: UserBytes,
): Answer {
  const log = user.read();
  if (log === undefined) return refuse('argument.unreadable');
  const call = { vm, slotNumber: log.slot, slot: vm.slots.get(log.slot) };
  const refused = firstRefusal(kernel, 'KVM_GET_DIRTY_LOG', { steps: loggedSlotSteps, call });
  if (refused !== undefined) return refused;
  const dirty = bitmapOf(call);
  const written = new Uint8Array(dirty);
  if (!manualProtect(vm).enabled) dirty.fill(0);
  return bitmap.write(written) ? done : refuse('get-dirty-log.bitmap-unwritable');
}

interface ClearCall extends LogCall {
  readonly log: ClearDirtyLogStruct;
}

const clearSteps: Steps<ClearCall> = {
  ...loggedSlotSteps,
  'clear-dirty-log.unaligned': ({ log }) => log.firstPage % 64n !== 0n,
  'clear-dirty-log.range': ({ slot, log: { firstPage, numPages } }) => {
    const left = BigInt(slot?.pages ?? 0) - firstPage;
    // Only a range that reaches the end of the slot may have a number of pages that is no multiple of
    // 64.
    const isCut = BigInt(numPages) < left && numPages % 64 !== 0;
    return left < 0n || BigInt(numPages) > left || isCut;
  },
};

export function clearDirtyLog(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<ClearDirtyLogStruct>,
  bitmap: UserBytes,
): Answer {
  const log = user.read();
  if (log === undefined) return refuse('argument.unreadable');
  const call = { vm, log, slotNumber: log.slot, slot: vm.slots.get(log.slot) };
  const refused = firstRefusal(kernel, 'KVM_CLEAR_DIRTY_LOG', { steps: clearSteps, call });
  if (refused !== undefined) return refused;
  const cleared = bitmap.read(bitmapBytes(log.numPages));
  if (cleared === undefined) return refuse('clear-dirty-log.bitmap-unreadable');
  const dirty = bitmapOf(call);
  const first = Number(log.firstPage) / 8;
  for (const [at, bits] of cleared.entries()) {
    dirty[first + at] = (dirty[first + at] ?? 0) & ~bits;
  }
  return done;
}

function bitmapOf({ slot }: LogCall): Uint8Array {
  if (slot?.dirty === undefined) throw new Error('the log of a slot without one');
  return slot.dirty;
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

/** No guest dirties a page here, so that the rings are empty. */
export function resetDirtyRings(vm: Vm): Answer {
  return vm.caps.dirtyRingBytes === 0 ? refuse('reset-dirty-rings.no-rings') : done;
}
