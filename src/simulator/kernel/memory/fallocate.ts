/**
 * fallocate() of KVM's files: vfs_fallocate() in fs/open.c, then kvm_gmem_fallocate() in
 * virt/kvm/guest_memfd.c. It asks neither who calls nor whether the VM is dead.
 */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, Caller, FallocateRequest } from '../../interface.ts';
import type { Range } from '../../range-map.ts';
import { done } from '../answer.ts';
import { faultAt, firstRefusal, type Steps } from '../checks.ts';
import type { KernelFile } from '../files.ts';
import type { Kernel } from '../kernel.ts';
import type { GuestInode } from '../objects.ts';
import { punchHole } from './guest-memfd.ts';
import { missingPages, takePages } from './unplaced-pages.ts';

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const punching = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** ALLOCATE_RANGE, COLLAPSE_RANGE, ZERO_RANGE, INSERT_RANGE, UNSHARE_RANGE, WRITE_ZEROES: no two at once. */
const modesWithoutKeeping: ReadonlySet<number> = new Set([0, 8, 0x10, 0x20, 0x40, 0x80]);
const modesWithKeeping: ReadonlySet<number> = new Set([0, 2, 0x10, 0x40]);

const largestFileBytes = (1n << 63n) - 1n;

interface FallocateCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly file: KernelFile;
  readonly asked: FallocateRequest;
}

const steps: Steps<FallocateCall> = {
  'fallocate.range': ({ asked: { offset, length } }) => offset < 0n || length <= 0n,
  'fallocate.mode': ({ asked: { mode } }) => {
    const modes = (mode & FALLOC_FL_KEEP_SIZE) === 0 ? modesWithoutKeeping : modesWithKeeping;
    return !modes.has(mode & ~FALLOC_FL_KEEP_SIZE);
  },
  'fallocate.read-only': ({ file }) => file.kind === 'stats',
  'fallocate.no-memory-file': ({ file }) => file.kind !== 'guest_memfd',
  'fallocate.too-large': ({ asked: { offset, length } }) => offset + length > largestFileBytes,
  'fallocate.other-mode': ({ asked: { mode } }) =>
    mode !== FALLOC_FL_KEEP_SIZE && mode !== punching,
  'fallocate.unaligned': ({ asked: { offset, length } }) => (offset | length) % PAGE_SIZE !== 0n,
  'fallocate.beyond-size': (call) => {
    if (call.asked.mode === punching) return false;
    return pagesOf(call.asked).end > inodeOf(call).sizePages;
  },
  'fallocate.interrupted': ({ asked, caller }) =>
    asked.mode !== punching && caller.pendingSignal() !== 'none',
  'kernel.no-memory': (call) => {
    const { kernel, asked } = call;
    if (asked.mode === punching) return false;
    const fault = faultAt(kernel, 'fallocate: allocate', 'kernel.no-memory');
    if (fault !== undefined) return fault;
    const inode = inodeOf(call);
    return !takePages(kernel, inode, missingPages(inode, [pagesOf(asked)]));
  },
};

export function fallocate(
  kernel: Kernel,
  caller: Caller,
  file: KernelFile,
  asked: FallocateRequest,
): Answer {
  const call = { kernel, caller, file, asked };
  const refused = firstRefusal(kernel, 'fallocate', { steps, call });
  if (refused !== undefined) return refused;
  if (asked.mode === punching) punchHole(kernel, inodeOf(call), pagesOf(asked));
  return done;
}

function inodeOf({ file }: FallocateCall): GuestInode {
  if (file.kind !== 'guest_memfd') throw new Error('no other file of KVM has memory');
  return file.guestMemfd.inode;
}

function pagesOf({ offset, length }: FallocateRequest): Range {
  return { start: Number(offset / PAGE_SIZE), end: Number((offset + length) / PAGE_SIZE) };
}
