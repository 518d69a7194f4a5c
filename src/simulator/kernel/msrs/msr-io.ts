/**
 * KVM_GET_MSRS and KVM_SET_MSRS follow msr_io() in arch/x86/kvm/msrs.c. The entries are taken one after
 * the other until one is refused, and the value tells how many were taken.
 */
import type { Answer, MsrEntry, UserMsrs } from '../../interface.ts';
import { ok, refuse } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { readGuestMsr, writeGuestMsr } from './guest-msrs.ts';

/** This is MAX_IO_MSRS. */
const mostEntries = 256;

interface MsrsCall {
  readonly kernel: Kernel;
  readonly count: CopiedIn<number>;
  readonly entries: CopiedIn<readonly MsrEntry[]>;
}

const steps: Steps<MsrsCall> = {
  'argument.unreadable': ({ count }) => count.fails(),
  'msrs.too-many': ({ count }) => count.value >= mostEntries,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_GET_MSRS: allocate'),
  'msrs.entries-unreadable': ({ entries }) => entries.fails(),
};

/**
 * On /dev/kvm the call reads feature MSRs. One without a value ends it, unless KVM lists it elsewhere;
 * then it reads as 0.
 */
export function getFeatureMsrs(kernel: Kernel, user: UserMsrs): Answer {
  const { features, advertised } = kernel.msrs;
  const call = msrsCall(kernel, user);
  return (
    firstRefusal(kernel, 'KVM_GET_MSRS on /dev/kvm', { steps, call }) ??
    readMsrs(call, user, (index) => features.get(index) ?? (advertised.has(index) ? 0n : undefined))
  );
}

export function getMsrs(kernel: Kernel, vcpu: Vcpu, user: UserMsrs): Answer {
  const call = msrsCall(kernel, user);
  return (
    firstRefusal(kernel, 'KVM_GET_MSRS', { steps, call }) ??
    readMsrs(call, user, (index) => readGuestMsr(kernel, vcpu, index))
  );
}

export function setMsrs(kernel: Kernel, vcpu: Vcpu, user: UserMsrs): Answer {
  const call = msrsCall(kernel, user);
  const refused = firstRefusal(kernel, 'KVM_SET_MSRS', { steps, call });
  if (refused !== undefined) return refused;
  const entries = call.entries.value;
  const stopped = entries.findIndex(({ index, data }) => !writeGuestMsr(kernel, vcpu, index, data));
  return ok(stopped < 0 ? entries.length : stopped);
}

function msrsCall(kernel: Kernel, user: UserMsrs): MsrsCall {
  const count = new CopiedIn(() => user.readCount());
  return { kernel, count, entries: new CopiedIn(() => user.readEntries(count.value)) };
}

function readMsrs(
  { entries: { value: entries } }: MsrsCall,
  user: UserMsrs,
  read: (index: number) => bigint | undefined,
): Answer {
  let count = 0;
  const written: MsrEntry[] = [...entries];
  for (const { index } of entries) {
    const data = read(index);
    // An MSR that cannot be read is written back as 0.
    written[count] = { index, data: data ?? 0n };
    if (data === undefined) break;
    count++;
  }
  return user.writeEntries(written) ? ok(count) : refuse('argument.unwritable');
}
