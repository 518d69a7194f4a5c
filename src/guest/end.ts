/** Why a guest has ended, in words, and whether it has failed. */
import { TdctlError } from '../errors/index.ts';
import type { GuestEnd, GuestEndReason } from '../host/guest.ts';

interface EndInWords {
  readonly message: string;
  /** Present where the end is no good one. */
  readonly hint?: string;
}

type Words = {
  readonly [Kind in GuestEndReason['kind']]: (
    end: GuestEnd & { readonly kind: Kind },
  ) => EndInWords;
};

const hex = (value: bigint | number) => `0x${value.toString(16)}`;
const list = (data: readonly bigint[]) =>
  data.length === 0 ? '' : ` (${data.map(hex).join(', ')})`;

const words: Words = {
  'power-off': () => ({ message: 'the guest has powered off' }),
  reset: () => ({
    message: 'the guest asked for a reset, and a TD is not reset but made anew',
  }),
  halted: ({ vcpu }) => ({
    message: `vCPU ${vcpu} has halted, and without an APIC in the kernel nothing wakes it`,
  }),
  'debug-exit': ({ value }) => ({
    message: `the guest has ended itself with the value ${value}`,
    ...(value !== 0 && { hint: 'what the value means, the guest’s program says' }),
  }),
  shutdown: ({ vcpu }) => ({
    message: `vCPU ${vcpu} has shut down, as by a triple fault`,
    hint: 'an exception had no handler that worked; what the guest printed last (`--console-log FILE`) leads there',
  }),
  'fail-entry': ({ vcpu, reason, cpu }) => ({
    message: `the processor did not enter vCPU ${vcpu} on CPU ${cpu}: reason ${hex(reason)}`,
    hint: 'the state of the vCPU is none that the processor takes; the kernel log has it (`dmesg`)',
  }),
  'internal-error': ({ suberror, data }) => ({
    message: `KVM_RUN ended with KVM_EXIT_INTERNAL_ERROR, suberror ${suberror}${list(data)}`,
    hint: 'KVM cannot go on with this guest: an instruction that it does not emulate, or an exit that it does not know',
  }),
  'system-event': ({ type, data }) => ({
    message: `KVM_RUN ended with a system event of type ${type}${list(data)}`,
    hint: 'the guest has told KVM that it cannot go on',
  }),
  'memory-fault': ({ gpa, sizeBytes }) => ({
    message: `the guest’s memory at ${hex(gpa)} (${sizeBytes} bytes) cannot be given to it`,
    hint: 'it lies outside of the memory slots, or is not private where the guest wants it so',
  }),
  'unknown-exit': ({ exit }) => ({
    message: `KVM_RUN ended with ${typeof exit === 'number' ? `exit ${exit}` : exit}, which nothing answers here`,
    hint: 'the builtin engine has few devices; what needs more runs under a VMM',
  }),
  refused: ({ vcpu, error }) => ({
    message: `KVM_RUN of vCPU ${vcpu} was refused: ${error.code}`,
    hint: 'the TD cannot run any more; the kernel log says why',
  }),
};

export function endInWords(end: GuestEnd): EndInWords {
  const inWords = words[end.kind] as (end: GuestEnd) => EndInWords;
  return inWords(end);
}

/** The error that a guest's end is; undefined where it has ended well. */
export function guestFailure(end: GuestEnd): Error | undefined {
  if (end.kind === 'refused') return end.error;
  const { message, hint } = endInWords(end);
  if (hint === undefined) return undefined;
  return new TdctlError({ code: 'TDCTL_E_IOCTL', op: 'run the guest', message, hint });
}
