/**
 * KVM_X86_SET_MSR_FILTER. The filter is checked and kept; no guest code runs that it could stop.
 * Order: kvm_vm_ioctl_set_msr_filter() in arch/x86/kvm/msrs.c, Linux 7.3.
 */
import type {
  Answer,
  MsrFilterRange,
  MsrFilterStruct,
  UserMsrBitmaps,
  UserStruct,
} from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';

const defaultDeny = 1;
const readOrWrite = 3;
const mostBitmapBytes = 0x600;

export function setMsrFilter(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<MsrFilterStruct>,
  bitmaps: UserMsrBitmaps,
): Answer {
  const filter = user.read();
  if (filter === undefined) return refuse('EFAULT');
  if ((filter.flags & ~defaultDeny) !== 0) return refuse('EINVAL');
  const isEmpty = filter.ranges.every(({ nmsrs }) => nmsrs === 0);
  // To deny everything takes a range at least.
  if (isEmpty && (filter.flags & defaultDeny) !== 0) return refuse('EINVAL');
  const fault = faultAt(kernel, 'KVM_X86_SET_MSR_FILTER: allocate');
  if (fault !== undefined) return fault;
  for (const [at, range] of filter.ranges.entries()) {
    const refused = checkRange(range, (bytes) => bitmaps.readBitmap(at, bytes));
    if (refused !== undefined) return refused;
  }
  vm.msrFilter = filter;
  return done;
}

function checkRange(
  { flags, nmsrs }: MsrFilterRange,
  readBitmap: (bytes: number) => Uint8Array | undefined,
): Refusal | undefined {
  if (nmsrs === 0) return undefined;
  if ((flags & ~readOrWrite) !== 0 || flags === 0) return refuse('EINVAL');
  const bytes = Math.ceil(nmsrs / 64) * 8;
  if (bytes > mostBitmapBytes) return refuse('EINVAL');
  return readBitmap(bytes) === undefined ? refuse('EFAULT') : undefined;
}
