/** Why a guest has ended, in words, and whether it has failed. */
import { KVM_MEMORY_EXIT_FLAG_PRIVATE, KVM_SYSTEM_EVENT_TDX_FATAL } from '../abi/kvm/exits.ts';
import { TdctlError } from '../errors/index.ts';
import type { GuestEnd, GuestEndReason } from '../host/guest.ts';
import { panicOf, panicText } from './panic.ts';

interface EndInWords {
  readonly message: string;
  /** Present where the end is no good one. */
  readonly hint?: string;
}

type EndOf<Kind extends GuestEndReason['kind']> = GuestEnd & { readonly kind: Kind };

type Words = {
  readonly [Kind in GuestEndReason['kind']]: (
    end: EndOf<Kind>,
    refusedFault: string | undefined,
  ) => EndInWords;
};

const hex = (value: bigint | number) => `0x${value.toString(16)}`;
const list = (data: readonly bigint[]) =>
  data.length === 0 ? '' : ` (${data.map(hex).join(', ')})`;

const lookAtConsole = 'what the guest printed last leads there, and `--console-log FILE` keeps it';

interface Named {
  readonly name: string;
  readonly hint: string;
}

/** Of the suberrors of KVM_EXIT_INTERNAL_ERROR (include/uapi/linux/kvm.h), what each means to who runs a guest. */
const suberrors: Readonly<Record<number, Named>> = {
  1: {
    name: 'KVM_INTERNAL_ERROR_EMULATION',
    hint: 'the guest came to an instruction that KVM would have to emulate and cannot: run it where the processor does (`tdctl doctor` tells whether /dev/kvm is nested), or without that instruction',
  },
  2: {
    name: 'KVM_INTERNAL_ERROR_SIMUL_EX',
    hint: `an exception came while another one was delivered: look at the handlers of the guest; ${lookAtConsole}`,
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

/** `system_event.type` of include/uapi/linux/kvm.h; one without a hint is what the guest has asked for. */
const systemEvents: Readonly<
  Record<number, { readonly name: string; readonly words: EndInWords }>
> = {
  1: {
    name: 'KVM_SYSTEM_EVENT_SHUTDOWN',
    words: { message: 'the guest has powered off, by way of KVM' },
  },
  2: {
    name: 'KVM_SYSTEM_EVENT_RESET',
    words: {
      message: 'the guest asked KVM for a reset, and a TD is not reset but made anew',
    },
  },
  3: {
    name: 'KVM_SYSTEM_EVENT_CRASH',
    words: {
      message: 'the guest has told KVM that it crashed',
      hint: `its kernel panicked; ${lookAtConsole}`,
    },
  },
  4: {
    name: 'KVM_SYSTEM_EVENT_WAKEUP',
    words: {
      message: 'a suspended guest was woken, which nothing here goes on from',
      hint: 'the builtin engine does not suspend guests (docs/guests.md); what needs that runs under a VMM',
    },
  },
  5: {
    name: 'KVM_SYSTEM_EVENT_SUSPEND',
    words: {
      message: 'the guest wants to be suspended, and nothing here would wake it',
      hint: 'keep the guest from suspending (systemd: mask suspend.target), or run it under a VMM',
    },
  },
  6: {
    name: 'KVM_SYSTEM_EVENT_SEV_TERM',
    words: {
      message: 'the guest has ended itself as one of AMD SEV',
      hint: 'a TD is no guest of SEV: the firmware or kernel was built for another platform',
    },
  },
};

/** What Intel processors and KVM put there: the exit reason of a failed VM entry, or of a TD a status word. */
const entryFailures: Readonly<Record<number, string>> = {
  2147483681: 'the state of the vCPU is none that the processor takes',
  2147483682: 'an MSR that is loaded on entry has a value that it cannot have',
};

const lastExitReason = 0xffff_ffffn;

function entryFailureHint(reason: bigint): string {
  if (reason > lastExitReason) {
    return `that is what TDH.VP.ENTER answered: \`tdctl explain ${hex(reason)}\` has it in words`;
  }
  const known = entryFailures[Number(reason)];
  return `${known ?? 'the Intel SDM has the number as a VM-exit reason'}; the kernel log has the state (\`dmesg | grep -i vmcs\`)`;
}

const memoryHint =
  'the memory slots are those of `tdctl plan`: give the TD more `spec.memory`, or look at what the guest maps there; a page that the host took out of use for a hardware error ends it too (`dmesg | grep -i poison`)';

function memoryFault({ vcpu, flags, gpa, sizeBytes }: EndOf<'memory-fault'>): string {
  const kind = (flags & KVM_MEMORY_EXIT_FLAG_PRIVATE) === 0n ? 'shared' : 'private';
  return `vCPU ${vcpu} wants the ${sizeBytes} bytes at ${hex(gpa)} as ${kind} memory, and they cannot be given to it`;
}

function systemEvent(end: EndOf<'system-event'>): EndInWords {
  const { vcpu, type, data } = end;
  if (type === KVM_SYSTEM_EVENT_TDX_FATAL) return panic(end);
  const known = systemEvents[type];
  if (known === undefined) {
    return {
      message: `KVM_RUN of vCPU ${vcpu} ended with the system event ${type}${list(data)}, which has no name here`,
      hint: `the guest has told KVM that it cannot go on; ${lookAtConsole}`,
    };
  }
  const { message, hint } = known.words;
  return {
    message: `${message} (${known.name} of vCPU ${vcpu}${list(data)})`,
    ...(hint !== undefined && { hint }),
  };
}

/** The guest's own words may be anything, and are safe to print. */
function panic(end: EndOf<'system-event'>): EndInWords {
  const { code, ...words } = panicOf(end) ?? { code: 0n, bytes: new Uint8Array(), gpa: undefined };
  const text = panicText({ code, ...words });
  const said = text === '' ? ', without a word' : `: “${text}”`;
  return {
    message: `the guest gave up${said} (ReportFatalError of vCPU ${end.vcpu}, code ${hex(code)})`,
    hint: `its firmware or kernel met what it cannot go on from, and says so itself; ${lookAtConsole}`,
  };
}

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
      hint: `the program in the guest says what its values mean; ${lookAtConsole}`,
    }),
  }),
  shutdown: ({ vcpu }) => ({
    message: `vCPU ${vcpu} has shut down, as by a triple fault`,
    hint: `an exception had no handler that worked, nor had the double fault: ${lookAtConsole}`,
  }),
  'fail-entry': ({ vcpu, reason, cpu }) => ({
    message: `the processor did not enter vCPU ${vcpu} on CPU ${cpu}: reason ${hex(reason)}`,
    hint: entryFailureHint(reason),
  }),
  'internal-error': ({ vcpu, suberror, data }) => ({
    message: `KVM_RUN of vCPU ${vcpu} ended with KVM_EXIT_INTERNAL_ERROR, suberror ${suberrors[suberror]?.name ?? suberror}${list(data)}`,
    hint:
      suberrors[suberror]?.hint ??
      'KVM cannot go on with this guest; the kernel log may say why (`dmesg`)',
  }),
  'system-event': systemEvent,
  'memory-fault': (end, refusedFault) => ({
    message: refusedFault ?? memoryFault(end),
    hint: memoryHint,
  }),
  'unknown-exit': ({ vcpu, exit }) => ({
    message: `KVM_RUN of vCPU ${vcpu} ended with ${typeof exit === 'number' ? `exit ${exit}` : exit}, which nothing answers here`,
    hint: 'the builtin engine has few devices (docs/guests.md); what needs more runs under a VMM',
  }),
  refused: ({ vcpu, error }) => ({
    message: `KVM_RUN of vCPU ${vcpu} was refused: ${error.code}`,
    hint: 'the TD cannot run any more; the kernel log says why (`dmesg | grep -i tdx`)',
  }),
  'host-gone': ({ error }) => ({
    message: error.message,
    hint: 'the guest was part of the host: start that anew, and the TD on it',
  }),
};

/** @param refusedFault why a memory fault that ended the guest had no answer, where that is known */
export function endInWords(end: GuestEnd, refusedFault?: string): EndInWords {
  const inWords = words[end.kind] as (end: GuestEnd, refusedFault?: string) => EndInWords;
  return inWords(end, refusedFault);
}

/** The error that a guest's end is; undefined where it has ended well. */
export function guestFailure(end: GuestEnd, refusedFault?: string): Error | undefined {
  if (end.kind === 'refused' || end.kind === 'host-gone') return end.error;
  const { message, hint } = endInWords(end, refusedFault);
  if (hint === undefined) return undefined;
  return new TdctlError({ code: 'TDCTL_E_GUEST', op: 'run the guest', message, hint });
}
