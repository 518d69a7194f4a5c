/**
 * KVM_CREATE_GUEST_MEMFD, KVM_LINK_GUEST_MEMFD and the last close of such a file are modelled on
 * virt/kvm/guest_memfd.c. The pages belong to the inode: a linked file of another VM has the same ones.
 */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type {
  Answer,
  Caller,
  CreateGuestMemfdStruct,
  GuestMemfdFact,
  LinkGuestMemfdStruct,
  UserStruct,
} from '../../interface.ts';
import type { Range } from '../../range-map.ts';
import { RangeSet } from '../../range-set.ts';
import { okWithFile, refuse } from '../answer.ts';
import { CopiedIn, descriptorStep, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { GuestInode, GuestMemfd, MemorySlot, PrivatePage, Vm } from '../objects.ts';
import { zapPrivatePages } from '../tdx/secure-ept.ts';
import { putVm } from '../vm/teardown.ts';
import { pagesOf } from './slot-table.ts';
import { dropUnplaced, newPage } from './unplaced-pages.ts';

const GUEST_MEMFD_FLAG_MMAP = 1n;
const GUEST_MEMFD_FLAG_INIT_SHARED = 2n;
const s64Max = (1n << 63n) - 1n;

interface CreateCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly create: CreateGuestMemfdStruct;
}

const createSteps: Steps<CreateCall> = {
  'create-guest-memfd.flags': ({ vm, create: { flags } }) => {
    const valid = GUEST_MEMFD_FLAG_MMAP | (vm.isTd ? 0n : GUEST_MEMFD_FLAG_INIT_SHARED);
    return (flags & ~valid) !== 0n;
  },
  'create-guest-memfd.unknown-flag': ({ create: { flags } }) =>
    (flags & ~(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)) !== 0n,
  // The kernel takes the size as a signed 64-bit number, and does not check reserved[].
  'create-guest-memfd.size': ({ create: { size } }) =>
    size === 0n || size > s64Max || size % PAGE_SIZE !== 0n,
  'process.no-descriptor': descriptorStep(
    'process.no-descriptor',
    'KVM_CREATE_GUEST_MEMFD: install the fd',
  ),
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_CREATE_GUEST_MEMFD: allocate'),
};

export function createGuestMemfd(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  user: UserStruct<CreateGuestMemfdStruct>,
): Answer {
  const create = user.read();
  if (create === undefined) return refuse('argument.unreadable');
  const call = { kernel, caller, vm, create };
  const refused = firstRefusal(kernel, 'KVM_CREATE_GUEST_MEMFD', { steps: createSteps, call });
  if (refused !== undefined) return refused;
  return installFile(kernel, vm, newInode(create, caller.cgroup));
}

function newInode({ size, flags }: CreateGuestMemfdStruct, cgroup: string): GuestInode {
  const sizePages = Number(size / PAGE_SIZE);
  const privatePages = new RangeSet();
  const isShared = (flags & GUEST_MEMFD_FLAG_INIT_SHARED) !== 0n;
  if (!isShared) privatePages.add({ start: 0, end: sizePages });
  const mappable = (flags & GUEST_MEMFD_FLAG_MMAP) !== 0n;
  const pages = new Map<number, number>();
  return { sizePages, mappable, privatePages, pages, unplaced: new RangeSet(), cgroup, files: 0 };
}

interface LinkCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly link: CopiedIn<LinkGuestMemfdStruct>;
}

const linkSteps: Steps<LinkCall> = {
  'request.unknown-on-vm': () => true,
  'argument.unreadable': ({ link }) => link.fails(),
  'link-guest-memfd.flags': ({ link }) => link.value.flags !== 0n,
  'link-guest-memfd.no-memfd': ({ kernel, link }) =>
    guestMemfdOf(kernel, link.value.guestMemfd) === undefined,
  'link-guest-memfd.same-vm': (call) => linkedFile(call).vm === call.vm,
  'process.no-descriptor': descriptorStep(
    'process.no-descriptor',
    'KVM_LINK_GUEST_MEMFD: install the fd',
  ),
};

/**
 * Opens one more file on the inode of another VM's guest_memfd. The ioctl is proposed, and in no
 * released kernel.
 */
export function linkGuestMemfd(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  user: UserStruct<LinkGuestMemfdStruct>,
): Answer {
  const call = { kernel, caller, vm, link: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_LINK_GUEST_MEMFD', { steps: linkSteps, call });
  return refused ?? installFile(kernel, vm, linkedFile(call).inode);
}

function linkedFile({ kernel, link }: LinkCall): GuestMemfd {
  const linked = guestMemfdOf(kernel, link.value.guestMemfd);
  if (linked === undefined) throw new Error('a link to no guest_memfd');
  return linked;
}

/** Returns undefined for any other file, and for none. */
export function guestMemfdOf(kernel: Kernel, fact: GuestMemfdFact): GuestMemfd | undefined {
  const file = typeof fact === 'number' ? kernel.files.get(fact) : undefined;
  return file?.kind === 'guest_memfd' ? file.guestMemfd : undefined;
}

/**
 * Gives the page of the file that backs a guest page of the slot. The file owns it from its first use on.
 * Undefined: there is no such file, or no memory.
 */
export function backingPage(
  kernel: Kernel,
  slot: MemorySlot | undefined,
  gfn: number,
): PrivatePage | undefined {
  if (slot?.guestMemfd === undefined) return undefined;
  const { firstPage, memfd } = slot.guestMemfd;
  const { inode } = memfd;
  const index = firstPage + gfn - slot.baseGfn;
  const hpa = inode.pages.get(index) ?? newPage(kernel, inode, index);
  if (hpa === undefined) return undefined;
  inode.pages.set(index, hpa);
  return { hpa, inode, index };
}

function installFile(kernel: Kernel, vm: Vm, inode: GuestInode): Answer {
  const guestMemfd: GuestMemfd = { vm, inode, bindings: new Set(), closed: false };
  inode.files++;
  vm.guestMemfds.add(guestMemfd);
  vm.references++;
  return okWithFile(kernel.files.install({ kind: 'guest_memfd', guestMemfd }));
}

/**
 * Frees the pages that no TD has any more. A page that a TD still has through a slot that does not back
 * it is freed when the TD gives it up.
 */
function freeUnusedPages(kernel: Kernel, inode: GuestInode, { start, end }: Range): void {
  for (const [index, page] of inode.pages) {
    if (index < start || index >= end) continue;
    if (kernel.tdx?.module.pages.has(page) === true) continue;
    kernel.pages.free(page);
    kernel.memoryCgroup.uncharge(inode.cgroup, 1);
    inode.pages.delete(index);
  }
  dropUnplaced(kernel, inode, { start, end });
}

/**
 * FALLOC_FL_PUNCH_HOLE: whoever has some of the pages gives them up, through each file of the inode, and
 * then they are freed.
 */
export function punchHole(kernel: Kernel, inode: GuestInode, hole: Range): void {
  for (const { vm, firstPage, baseGfn, pages } of boundTo(kernel, inode)) {
    const start = Math.max(hole.start, firstPage);
    const end = Math.min(hole.end, firstPage + pages);
    if (start >= end) continue;
    const offset = baseGfn - firstPage;
    zapPrivatePages(kernel, vm, { start: start + offset, end: end + offset });
  }
  freeUnusedPages(kernel, inode, hole);
}

function* boundTo(kernel: Kernel, inode: GuestInode) {
  for (const { guestMemfds } of kernel.vms) {
    for (const memfd of guestMemfds) {
      if (memfd.inode !== inode) continue;
      for (const { vm, baseGfn, pages, guestMemfd } of memfd.bindings) {
        if (guestMemfd !== undefined) yield { vm, baseGfn, pages, firstPage: guestMemfd.firstPage };
      }
    }
  }
}

/** Zaps the pages that the file backs, one at a time and with the key ID still assigned. */
export function releaseGuestMemfd(kernel: Kernel, guestMemfd: GuestMemfd): void {
  const { vm, inode } = guestMemfd;
  guestMemfd.closed = true;
  for (const slot of guestMemfd.bindings) {
    zapPrivatePages(kernel, slot.vm, pagesOf(slot));
  }
  guestMemfd.bindings.clear();
  inode.files--;
  if (inode.files === 0) freeUnusedPages(kernel, inode, { start: 0, end: inode.sizePages });
  vm.guestMemfds.delete(guestMemfd);
  putVm(kernel, vm);
}
