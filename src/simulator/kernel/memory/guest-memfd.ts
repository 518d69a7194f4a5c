/**
 * KVM_CREATE_GUEST_MEMFD, KVM_LINK_GUEST_MEMFD and the last close of such a file (kernel-abi 2.11,
 * 2.15, 4.3). The pages are the inode's: a linked file of another VM has the same ones.
 */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type {
  Answer,
  CreateGuestMemfdStruct,
  GuestMemfdFact,
  LinkGuestMemfdStruct,
  UserStruct,
} from '../../interface.ts';
import { ok, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { GuestInode, GuestMemfd, Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';
import { putVm } from '../vm/teardown.ts';

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
  const inode = { sizePages: Number(create.size / PAGE_SIZE), pages: new Map(), files: 0 };
  return installFile(kernel, vm, inode);
}

/**
 * Proposed, in no kernel: one more file on the inode of another VM's guest_memfd. The checks are those
 * of kvm_gmem_link() as posted (RFC v2, May 2025, 04/13), which has EINVAL also for a bad fd.
 */
export function linkGuestMemfd(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<LinkGuestMemfdStruct>,
): Answer {
  if (kernel.abi.name !== 'rfc-migration-v2') return refuse('ENOTTY'); // INTERIM
  const link = user.read();
  if (link === undefined) return refuse('EFAULT');
  if (link.flags !== 0n) return refuse('EINVAL');
  const linked = guestMemfdOf(kernel, link.guestMemfd);
  if (linked === undefined || linked.vm === vm) return refuse('EINVAL');
  const noFd = faultAt(kernel, 'KVM_LINK_GUEST_MEMFD: install the fd');
  if (noFd !== undefined) return noFd;
  return installFile(kernel, vm, linked.inode);
}

/** undefined: any other file, or none. */
export function guestMemfdOf(kernel: Kernel, fact: GuestMemfdFact): GuestMemfd | undefined {
  const file = typeof fact === 'number' ? kernel.files.get(fact) : undefined;
  return file?.kind === 'guest_memfd' ? file.guestMemfd : undefined;
}

function installFile(kernel: Kernel, vm: Vm, inode: GuestInode): Answer {
  const guestMemfd: GuestMemfd = { vm, inode, bindings: new Set(), closed: false };
  inode.files++;
  vm.guestMemfds.add(guestMemfd);
  vm.references++;
  return ok(kernel.files.install({ kind: 'guest_memfd', guestMemfd }));
}

/** A page that a TD still has, of a slot that does not back it, is freed when the TD gives it up. */
function freeUnusedPages(kernel: Kernel, inode: GuestInode): void {
  for (const [index, page] of inode.pages) {
    if (kernel.tdx?.module.pages.has(page) === true) continue;
    kernel.pages.free(page);
    inode.pages.delete(index);
  }
}

/** Zaps what the file backs, one page at a time and with the key ID still assigned. */
export function releaseGuestMemfd(kernel: Kernel, guestMemfd: GuestMemfd): void {
  const { vm, inode } = guestMemfd;
  guestMemfd.closed = true;
  for (const slot of guestMemfd.bindings) {
    zapPrivatePages(kernel, slot.vm, slot.baseGfn, slot.baseGfn + slot.pages);
  }
  guestMemfd.bindings.clear();
  inode.files--;
  if (inode.files === 0) freeUnusedPages(kernel, inode);
  vm.guestMemfds.delete(guestMemfd);
  putVm(kernel, vm);
}
