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

/** Of the suberrors of KVM_EXIT_INTERNAL_ERROR (include/uapi/linux/kvm.h), what each means to who runs a guest. */
const suberrors: Readonly<Record<number, { readonly name: string; readonly hint: string }>> = {
  1: {
    name: 'KVM_INTERNAL_ERROR_EMULATION',
    hint: 'the guest came to an instruction that KVM would have to emulate and cannot: run it where the processor does (`tdctl doctor` tells whether /dev/kvm is nested), or without that instruction',
  },
  2: {
    name: 'KVM_INTERNAL_ERROR_SIMUL_EX',
    hint: 'an exception came while another one was delivered: look at the handlers of the guest, and at what it printed last',
  },
  3: {
    name: 'KVM_INTERNAL_ERROR_DELIVERY_EV',
    hint: 'KVM could not deliver an event to the guest: its IDT, GDT or TSS lies where no memory is',
  },
  4: {
    name: 'KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON',
    hint: 'the processor left the guest for a reason that this kernel does not know; of a TD, TDH.VP.ENTER was refused: `tdctl explain` knows the status word among the numbers',
  },
};

const KVM_MEMORY_EXIT_FLAG_PRIVATE = 1n << 3n;

const words: Words = {
  'power-off': () => ({ message: 'the guest has powered off' }),
  reset: () => ({
    message: 'the guest asked for a reset, and a TD is not reset but made anew: run it again',
  }),
  halted: ({ vcpu }) => ({
    message: `vCPU ${vcpu} has halted, and without an APIC in the kernel nothing wakes it`,
  }),
  'debug-exit': ({ vcpu, value }) => ({
    message: `vCPU ${vcpu} has ended the guest by isa-debug-exit, with the value ${value}`,
    ...(value !== 0 && {
      hint: 'the program in the guest says what its values mean; what it printed last, `--console-log FILE` keeps',
    }),
  }),
  shutdown: ({ vcpu }) => ({
    message: `vCPU ${vcpu} has shut down, as by a triple fault`,
    hint: 'an exception had no handler that worked, nor had the double fault: what the guest printed last leads there, and `--console-log FILE` keeps it',
  }),
  'fail-entry': ({ vcpu, reason, cpu }) => ({
    message: `the processor did not enter vCPU ${vcpu} on CPU ${cpu}: reason ${hex(reason)}`,
    hint: 'the state of the vCPU is none that the processor takes; the kernel log has it (`dmesg`)',
  }),
  'internal-error': ({ vcpu, suberror, data }) => ({
    message: `KVM_RUN of vCPU ${vcpu} ended with KVM_EXIT_INTERNAL_ERROR, suberror ${suberrors[suberror]?.name ?? suberror}${list(data)}`,
    hint:
      suberrors[suberror]?.hint ??
      'KVM cannot go on with this guest; the kernel log may say why (`dmesg`)',
  }),
  'system-event': ({ vcpu, type, data }) => ({
    message: `KVM_RUN of vCPU ${vcpu} ended with a system event of type ${type}${list(data)}`,
    hint: 'the guest has told KVM that it cannot go on; what it printed last, `--console-log FILE` keeps',
  }),
  'memory-fault': ({ vcpu, flags, gpa, sizeBytes }) => ({
    message: `vCPU ${vcpu} wants the ${sizeBytes} bytes at ${hex(gpa)} as ${(flags & KVM_MEMORY_EXIT_FLAG_PRIVATE) === 0n ? 'shared' : 'private'} memory, and they cannot be given to it`,
    hint: 'they lie outside of the memory slots that `tdctl plan` shows, or are of the other kind; give the TD more `spec.memory`, or look at what the guest maps there',
  }),
  'unknown-exit': ({ vcpu, exit }) => ({
    message: `KVM_RUN of vCPU ${vcpu} ended with ${typeof exit === 'number' ? `exit ${exit}` : exit}, which nothing answers here`,
    hint: 'the builtin engine has few devices (docs/guests.md); what needs more runs under a VMM',
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
  return new TdctlError({ code: 'TDCTL_E_GUEST', op: 'run the guest', message, hint });
}
