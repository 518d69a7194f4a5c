/**
 * KVM_X86_SET_MSR_FILTER follows kvm_vm_ioctl_set_msr_filter() in arch/x86/kvm/msrs.c. The filter is
 * checked and kept, but there is no guest code that it could stop.
 */
import type {
  Answer,
  MsrFilterRange,
  MsrFilterStruct,
  UserMsrBitmaps,
  UserStruct,
} from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';

const defaultDeny = 1;
const readOrWrite = 3;
const mostBitmapBytes = 0x600;

interface FilterCall {
  readonly kernel: Kernel;
  readonly filter: CopiedIn<MsrFilterStruct>;
}

const filterSteps: Steps<FilterCall> = {
  'argument.unreadable': ({ filter }) => filter.fails(),
  'msr-filter.flags': ({ filter }) => (filter.value.flags & ~defaultDeny) !== 0,
  'msr-filter.denies-all': ({ filter: { value } }) =>
    (value.flags & defaultDeny) !== 0 && value.ranges.every(({ nmsrs }) => nmsrs === 0),
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_X86_SET_MSR_FILTER: allocate'),
};

interface RangeCall {
  readonly range: MsrFilterRange;
  readonly bitmap: CopiedIn<Uint8Array>;
}

const rangeSteps: Steps<RangeCall> = {
  'msr-filter.range-flags': ({ range: { flags } }) => (flags & ~readOrWrite) !== 0 || flags === 0,
  'msr-filter.range-size': ({ range }) => bitmapBytes(range) > mostBitmapBytes,
  'msr-filter.bitmap-unreadable': ({ bitmap }) => bitmap.fails(),
};

export function setMsrFilter(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<MsrFilterStruct>,
  bitmaps: UserMsrBitmaps,
): Answer {
  const request = 'KVM_X86_SET_MSR_FILTER';
  const call = { kernel, filter: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, request, { steps: filterSteps, call });
  if (refused !== undefined) return refused;
  for (const [at, range] of call.filter.value.ranges.entries()) {
    if (range.nmsrs === 0) continue;
    const bitmap = new CopiedIn(() => bitmaps.readBitmap(at, bitmapBytes(range)));
    const rangeCall = { range, bitmap };
    const refused = firstRefusal(kernel, request, { steps: rangeSteps, call: rangeCall });
    if (refused !== undefined) return refused;
  }
  vm.msrFilter = call.filter.value;
  return done;
}

function bitmapBytes({ nmsrs }: MsrFilterRange): number {
  return Math.ceil(nmsrs / 64) * 8;
}
