/** `struct kvm_vcpu_events` holds what waits for the guest to be entered. */
import type { Vcpu } from '../objects.ts';

export const eventFlags = {
  nmiPending: 1,
  shadow: 4,
  smm: 8,
  payload: 16,
  tripleFault: 32,
  /** The flags include SIPI_VECTOR, which KVM only ever takes. */
  all: 63,
} as const;
const EVENTS_FLAGS = 20;
const EVENTS_NMI_PENDING = 13;
const EVENTS_SMI_PENDING = 25;
const NMI_VECTOR = 2;

export function showEvents({ vm, pending }: Vcpu, events: Uint8Array): void {
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
}

export function eventFlagsOf(events: DataView): number {
  return events.getUint32(EVENTS_FLAGS, true);
}

/** An exception has one of 32 vectors and is no NMI; a pending one counts only with VALID_PAYLOAD. */
export function acceptsException(events: DataView): boolean {
  const hasPayload = (eventFlagsOf(events) & eventFlags.payload) !== 0;
  const [injected, vector = 0, , pending] = [0, 1, 2, 3].map((at) => events.getUint8(at));
  const isException = injected !== 0 || (hasPayload && pending !== 0);
  return !isException || (vector <= 31 && vector !== NMI_VECTOR);
}
