/**
 * TDG.VP.VMCALL<ReportFatalError>: a TD gives up and says why. KVM hands it on as a system event with all
 * registers that the guest showed, in the order of their numbers (tdx_report_fatal_error() in
 * arch/x86/kvm/vmx/tdx.c; the GHCI has the layout).
 */
import { KVM_SYSTEM_EVENT_TDX_FATAL } from '../abi/kvm/exits.ts';
import { sanitize } from '../errors/sanitize.ts';
import type { GuestEnd } from '../host/guest.ts';
import type { GuestSlot } from './answers/index.ts';

const numbers = { rcx: 1, rdx: 2, rbx: 3, rsi: 6, rdi: 7, r8: 8, r9: 9, r12: 12, r13: 13 } as const;
/** The text lies in these, in this order: R14, R15, RBX, RDI, RSI, R8, R9, RDX. */
const textRegisters = [
  14,
  15,
  numbers.rbx,
  numbers.rdi,
  numbers.rsi,
  numbers.r8,
  numbers.r9,
  numbers.rdx,
] as const;
/** Bit 63 of R12: R13 is the address of a page with more to read. */
const gpaIsValid = 1n << 63n;
const pageBytes = 4096n;
/** The shared bit is the highest of an address: bit 47 or bit 51. */
const sharedBits = (1n << 47n) | (1n << 51n);

export interface Panic {
  /** 0 where a kernel panicked; the GHCI reserves all others, and TDs use bits 32 to 62 as they like. */
  readonly code: bigint;
  /** As the guest passed it, so it is not safe to print. */
  readonly bytes: Uint8Array;
  /** Of the page with more, in the memory that the guest shares. */
  readonly gpa: bigint | undefined;
}

export function panicOf(end: GuestEnd): Panic | undefined {
  if (end.kind !== 'system-event' || end.type !== KVM_SYSTEM_EVENT_TDX_FATAL) return undefined;
  const register = (number: number) => end.data[number] ?? 0n;
  const shown = register(numbers.rcx);
  const words = textRegisters
    .filter((number) => (shown & (1n << BigInt(number))) !== 0n)
    .map(register);
  const bytes = Buffer.alloc(8 * words.length);
  for (const [at, word] of words.entries())
    bytes.writeBigUInt64LE(BigInt.asUintN(64, word), 8 * at);
  const code = register(numbers.r12);
  return {
    code: code & ~gpaIsValid,
    bytes: untilNul(bytes),
    gpa: (code & gpaIsValid) === 0n ? undefined : register(numbers.r13) & ~sharedBits,
  };
}

/** What the guest says, on one line that is safe to print; empty where it says nothing. */
export function panicText({ bytes, gpa }: Panic, slots: readonly GuestSlot[] = []): string {
  const page = gpa === undefined ? undefined : pageAt(gpa, slots);
  return [bytes, page ?? new Uint8Array()].map(printable).filter(Boolean).join(' | ');
}

function pageAt(gpa: bigint, slots: readonly GuestSlot[]): Uint8Array | undefined {
  const slot = slots.find((each) => gpa >= each.gpa && gpa < each.gpa + each.sizeBytes);
  if (slot === undefined) return undefined;
  const left = slot.gpa + slot.sizeBytes - gpa;
  const lengthBytes = Number(left < pageBytes ? left : pageBytes);
  return untilNul(slot.memory.read(gpa - slot.gpa, lengthBytes));
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

/** Line ends at the end are the guest's habit, and those within are shown. */
function printable(bytes: Uint8Array): string {
  return sanitize(new TextDecoder().decode(bytes).trim());
}
