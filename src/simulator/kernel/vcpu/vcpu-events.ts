/** `struct kvm_vcpu_events` holds what waits for the guest to be entered. */
import type { PendingException, Vcpu } from '../objects.ts';

export const eventFlags = {
  nmiPending: 1,
  shadow: 4,
  smm: 8,
  payload: 16,
  tripleFault: 32,
  /** The flags include SIPI_VECTOR, which KVM only ever takes. */
  all: 63,
} as const;
/** Offsets in the struct. */
const exceptionAt = { injected: 0, vector: 1, pending: 3 } as const;
const EVENTS_FLAGS = 20;
const EVENTS_NMI_PENDING = 13;
const EVENTS_SMI_PENDING = 25;
const NMI_VECTOR = 2;

export function showEvents({ vm, pending }: Vcpu, events: Uint8Array): void {
  const { exception } = pending;
  const isPending = exception?.state === 'pending';
  // Only with KVM_CAP_EXCEPTION_PAYLOAD can user space tell the two apart.
  const isInjected = exception !== undefined && (!isPending || !vm.caps.exceptionPayload);
  events[exceptionAt.injected] = Number(isInjected);
  events[exceptionAt.vector] = exception?.vector ?? 0;
  events[exceptionAt.pending] = Number(isPending);
  events[EVENTS_NMI_PENDING] = pending.nmis;
  events[EVENTS_SMI_PENDING] = Number(pending.smi);
  const { nmiPending, shadow, smm, payload, tripleFault } = eventFlags;
  const flags =
    nmiPending |
    shadow |
    smm |
    (vm.caps.exceptionPayload ? payload : 0) |
    (vm.caps.tripleFaultEvent ? tripleFault : 0);
  new DataView(events.buffer).setUint32(EVENTS_FLAGS, flags, true);
}

export function takeEvents({ pending }: Vcpu, events: DataView): void {
  const flags = eventFlagsOf(events);
  if ((flags & eventFlags.nmiPending) !== 0) pending.nmis = events.getUint8(EVENTS_NMI_PENDING);
  if ((flags & eventFlags.smm) !== 0) pending.smi = events.getUint8(EVENTS_SMI_PENDING) !== 0;
  pending.exception = exceptionOf(events);
}

export function eventFlagsOf(events: DataView): number {
  return events.getUint32(EVENTS_FLAGS, true);
}

/** A pending exception counts only with VALID_PAYLOAD. */
function exceptionOf(events: DataView): PendingException | undefined {
  const hasPayload = (eventFlagsOf(events) & eventFlags.payload) !== 0;
  const vector = events.getUint8(exceptionAt.vector);
  if (events.getUint8(exceptionAt.injected) !== 0) return { vector, state: 'injected' };
  const isPending = hasPayload && events.getUint8(exceptionAt.pending) !== 0;
  return isPending ? { vector, state: 'pending' } : undefined;
}

/** An exception has one of 32 vectors and is no NMI. */
export function acceptsException(events: DataView): boolean {
  const exception = exceptionOf(events);
  return exception === undefined || (exception.vector <= 31 && exception.vector !== NMI_VECTOR);
}
