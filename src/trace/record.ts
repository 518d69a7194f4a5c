/**
 * A trace holds the KVM calls of a program, or of a run of tdctl, as data. The files text.ts and
 * json.ts write it, and both forms parse back. A trace is made to be compared: nothing in a record
 * depends on where the program's memory lay, on the numbers of its descriptors, or on time.
 */
import type { ErrnoName } from '../abi/kvm/errno.ts';

export type TraceRecord =
  | HeaderRecord
  | OpenRecord
  | CallRecord
  | SeamcallRecord
  | CloseRecord
  | StateRecord
  | EndRecord;

/** The header is the first record. */
export interface HeaderRecord extends TraceHeader {
  readonly kind: 'header';
  readonly version: (typeof readableVersions)[number];
}

export interface TraceHeader {
  /** The host and the kernel as `--host` and `--kernel` gave them. */
  readonly host: string;
  readonly kernel: string;
  readonly command: readonly string[];
  /** What the simulated CPU took from the machine's own, as programs see it (cpu-identity.ts). */
  readonly cpu?: TracedCpu | undefined;
}

export interface TracedCpu {
  /** CPUID(1).EAX, hex text. */
  readonly signature: string;
  readonly physicalAddressBits: number;
}

/**
 * Version 2 names the check that refused a call, and gives runs of tdctl the same records. Version 1 is
 * read as well.
 */
export const traceVersion = 2;
export const readableVersions = [1, traceVersion] as const;

/** open("/dev/kvm") makes a `sys#…`. */
export interface OpenRecord {
  readonly kind: 'open';
  readonly thread: string;
  readonly outcome: CallOutcome;
}

/** A call is one ioctl, recorded when it was answered. */
export interface CallRecord {
  readonly kind: 'call';
  /** `T0` is the command's first thread, followed by `T1` and so on. Other processes have `P2.T0`. */
  readonly thread: string;
  /**
   * The object is `sys#0`, `vm#1`, `vcpu#3`, `gmem#2` or `stats#9`, numbered in the order of making.
   */
  readonly object: string;
  /**
   * The kernel's name of the request; a TDX sub-command has its own name, and a request without a name
   * its number in hexadecimal.
   */
  readonly request: string;
  readonly args: TraceArgs;
  readonly outcome: CallOutcome;
  /** Simulated time of the call and its leaves. It is given only where nobody else's time is in it. */
  readonly durationNs?: number;
}

/** The record is one call of the TDX module, and precedes the call or the close that made it. */
export interface SeamcallRecord {
  readonly kind: 'seamcall';
  /** Number of the logical CPU. */
  readonly cpu: number;
  readonly leaf: string;
  /** Registers by name. Long lists and bytes are shown by their length and a digest. */
  readonly operands: TraceArgs;
  /** The status word, hex text. */
  readonly status: string;
  /** The row of the module's book that refused. It is absent where the status was injected. */
  readonly check?: string;
  readonly outputs: TraceArgs;
  readonly durationNs: number;
}

export type CallOutcome =
  /** `value` is 0 where a descriptor was made, because its number tells nothing about the call. */
  | { readonly value: number; readonly made?: string }
  | RefusedOutcome
  /** A signal came before the answer could be given, and the call was undone. */
  | { readonly interrupted: true };

export interface RefusedOutcome {
  readonly errno: ErrnoName;
  /** The kernel's check that refused, by the name of its row in the book (abi/kvm/checks). */
  readonly check?: string;
  /** The TDX module's status that was written back, where it is not 0. */
  readonly hwError?: string;
}

/** The last close of a file description closes it, and so does the end of the process. */
export interface CloseRecord {
  readonly kind: 'close';
  readonly object: string;
  readonly durationNs?: number;
}

/**
 * A state records how the chart that drives a run has changed (docs/events.md). The text form tells it
 * in short, and the JSON form has it whole.
 */
export interface StateRecord {
  readonly kind: 'event';
  readonly event: 'state.entered' | 'step.ended' | 'td.ended';
  readonly td: string;
  readonly machine: string;
  readonly machineVersion: number;
  readonly state: string;
  /** Transitions taken since the previous state. They are present where a state is entered. */
  readonly transitions?: readonly string[];
  readonly step?: string;
  readonly result?: string;
  readonly outcome?: string;
}

/**
 * The last record tells how the command ended, or how the TD of a run did. A trace without it was cut
 * off.
 */
export interface EndRecord {
  readonly kind: 'end';
  readonly exit:
    | { readonly status: number }
    | { readonly signal: string }
    | { readonly outcome: string };
}

/**
 * Arguments have the kernel's names of the fields. Numbers of 64 bits, and all that reads better so,
 * are hex text.
 */
export type TraceArgs = Readonly<Record<string, TraceValue>>;

export type TraceValue =
  | string
  | number
  | boolean
  | null
  | readonly TraceValue[]
  | { readonly [name: string]: TraceValue };

/** The record shows a `struct kvm_cpuid_entry2`, with its registers as hex text. */
export interface TraceCpuidEntry {
  readonly function: string;
  readonly index: number;
  readonly flags: number;
  readonly eax: string;
  readonly ebx: string;
  readonly ecx: string;
  readonly edx: string;
}
