/** KVM_CREATE_GUEST_MEMFD and the last close of such a file (kernel-abi 2.11, 2.15). */
import { PAGE_SIZE } from '../../abi/kvm/structs.ts';
import type { Answer, CreateGuestMemfdStruct, UserStruct } from '../interface.ts';
import type { Hpa } from '../module/states.ts';
import { ok, refuse } from './answer.ts';
import { faultAt, type Kernel } from './kernel.ts';
import type { MemorySlot } from './memslots.ts';
import { zapPrivatePages } from './tdx/secure-ept.ts';
import { putVm } from './teardown.ts';
import type { Vm } from './vm.ts';

export interface GuestMemfd {
  readonly vm: Vm;
  readonly sizePages: number;
  /** Pages that were used, by their place in the file. */
  readonly pages: Map<number, Hpa>;
  readonly bindings: Set<MemorySlot>;
  closed: boolean;
}

const GUEST_MEMFD_FLAG_MMAP = 1n;
const GUEST_MEMFD_FLAG_INIT_SHARED = 2n;
const s64Max = (1n << 63n) - 1n;

export function createGuestMemfd(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<CreateGuestMemfdStruct>,
): Answer {
  const create = user.read();
  if (create === undefined) return refuse('EFAULT');
  const validFlags = GUEST_MEMFD_FLAG_MMAP | (vm.isTd ? 0n : GUEST_MEMFD_FLAG_INIT_SHARED);
  if ((create.flags & ~validFlags) !== 0n) return refuse('EINVAL');
  // The size is a signed 64-bit number; reserved[] is not looked at.
  if (create.size === 0n || create.size > s64Max || create.size % PAGE_SIZE !== 0n) {
    return refuse('EINVAL');
  }
  const noFd = faultAt(kernel, 'KVM_CREATE_GUEST_MEMFD: install the fd');
  if (noFd !== undefined) return noFd;
  const noMemory = faultAt(kernel, 'KVM_CREATE_GUEST_MEMFD: allocate');
  if (noMemory !== undefined) return noMemory;

  const guestMemfd: GuestMemfd = {
    vm,
    sizePages: Number(create.size / PAGE_SIZE),
    pages: new Map(),
    bindings: new Set(),
    closed: false,
  };
  vm.guestMemfds.add(guestMemfd);
  vm.references++;
  return ok(kernel.files.install({ kind: 'guest_memfd', guestMemfd }));
}

/** Zaps what the file backs, one page at a time and with the key ID still assigned. */
export function releaseGuestMemfd(kernel: Kernel, guestMemfd: GuestMemfd): void {
  const { vm } = guestMemfd;
  guestMemfd.closed = true;
  for (const slot of guestMemfd.bindings) {
    zapPrivatePages(kernel, vm, slot.baseGfn, slot.baseGfn + slot.pages);
  }
  guestMemfd.bindings.clear();
  for (const page of guestMemfd.pages.values()) kernel.pages.free(page);
  guestMemfd.pages.clear();
  vm.guestMemfds.delete(guestMemfd);
  putVm(kernel, vm);
}
