/**
 * KVM_GET_MSRS and KVM_SET_MSRS: as many entries as go, one after the other; the value says how many.
 * Order: msr_io() in arch/x86/kvm/msrs.c, Linux 7.3.
 */
import type { Answer, MsrEntry, UserMsrs } from '../../interface.ts';
import { ok, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { readGuestMsr, writeGuestMsr } from './guest-msrs.ts';

/** MAX_IO_MSRS */
const mostEntries = 256;

/** Of features, on /dev/kvm: one without a value ends it, unless KVM lists it elsewhere, then 0. */
export function getFeatureMsrs(kernel: Kernel, user: UserMsrs): Answer {
  const { features, advertised } = kernel.msrs;
  return readMsrs(
    kernel,
    user,
    (index) => features.get(index) ?? (advertised.has(index) ? 0n : undefined),
  );
}

export function getMsrs(kernel: Kernel, vcpu: Vcpu, user: UserMsrs): Answer {
  return readMsrs(kernel, user, (index) => readGuestMsr(kernel, vcpu, index));
}

export function setMsrs(kernel: Kernel, vcpu: Vcpu, user: UserMsrs): Answer {
  const entries = copyIn(kernel, user);
  if ('ok' in entries) return entries;
  const refused = entries.findIndex(({ index, data }) => !writeGuestMsr(kernel, vcpu, index, data));
  return ok(refused < 0 ? entries.length : refused);
}

function readMsrs(
  kernel: Kernel,
  user: UserMsrs,
  read: (index: number) => bigint | undefined,
): Answer {
  const entries = copyIn(kernel, user);
  if ('ok' in entries) return entries;
  let count = 0;
  const written: MsrEntry[] = [...entries];
  for (const { index } of entries) {
    const data = read(index);
    // What cannot be read is written back as 0.
    written[count] = { index, data: data ?? 0n };
    if (data === undefined) break;
    count++;
  }
  return user.writeEntries(written) ? ok(count) : refuse('EFAULT');
}

function copyIn(kernel: Kernel, user: UserMsrs): readonly MsrEntry[] | Answer {
  const count = user.readCount();
  if (count === undefined) return refuse('EFAULT');
  if (count >= mostEntries) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_GET_MSRS: allocate');
  if (fault !== undefined) return fault;
  return user.readEntries(count) ?? refuse('EFAULT');
}
