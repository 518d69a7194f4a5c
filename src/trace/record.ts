/**
 * A trace of the KVM calls of a program, or of a run of tdctl, as data. text.ts and json.ts write it; both parse back.
 * Made to be compared: nothing in a record depends on where the program's memory lay, on the
 * numbers of its descriptors, or on time.
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

/** The first record. */
export interface HeaderRecord extends TraceHeader {
  readonly kind: 'header';
  readonly version: (typeof readableVersions)[number];
}

export interface TraceHeader {
  /** As `--host` and `--kernel` were given. */
  readonly host: string;
  readonly kernel: string;
  readonly command: readonly string[];
  /** What the simulated CPU took from the machine's own, as programs see that (cpu-identity.ts). */
  readonly cpu?: TracedCpu | undefined;
}

export interface TracedCpu {
  /** CPUID(1).EAX, hex text. */
  readonly signature: string;
  readonly physicalAddressBits: number;
}

/** 2: a refused call names the check, and runs of tdctl have the same records. Version 1 is read as well. */
export const traceVersion = 2;
export const readableVersions = [1, traceVersion] as const;

/** open("/dev/kvm"): makes a `sys#…`. */
export interface OpenRecord {
  readonly kind: 'open';
  readonly thread: string;
  readonly outcome: CallOutcome;
}

/** One ioctl, when it was answered. */
export interface CallRecord {
  readonly kind: 'call';
  /** `T0` is the command's first thread, then `T1` …; of other processes `P2.T0`. */
  readonly thread: string;
  /** `sys#0`, `vm#1`, `vcpu#3`, `gmem#2`, `stats#9`: numbered in the order of making. */
  readonly object: string;
  /** The kernel's name; a TDX sub-command by its own; hexadecimal where there is no name. */
  readonly request: string;
  readonly args: TraceArgs;
  readonly outcome: CallOutcome;
  /** Simulated time, with that of its leaves; where nobody else's time is in it. */
  readonly durationNs?: number;
}

/** One call of the TDX module, before the call or the close that made it. */
export interface SeamcallRecord {
  readonly kind: 'seamcall';
  /** The logical CPU. */
  readonly cpu: number;
  readonly leaf: string;
  /** Registers by name; long lists and bytes by their length and a digest. */
  readonly operands: TraceArgs;
  /** The status word, hex text. */
  readonly status: string;
  /** The row of the module's book that refused; absent where the status was injected. */
  readonly check?: string;
  readonly outputs: TraceArgs;
  readonly durationNs: number;
}

export type CallOutcome =
  /** `value` is 0 where a descriptor was made: its number says nothing of the call. */
  | { readonly value: number; readonly made?: string }
  | RefusedOutcome
  /** A signal came before the answer could be given; the call was undone. */
  | { readonly interrupted: true };

export interface RefusedOutcome {
  readonly errno: ErrnoName;
  /** The check of the kernel that refused, by the name of its row in the book (abi/kvm/checks). */
  readonly check?: string;
  /** The status of the TDX module that was written back, where it is not 0. */
  readonly hwError?: string;
}

/** The last close of a file description, also by the end of a process. */
export interface CloseRecord {
  readonly kind: 'close';
  readonly object: string;
  readonly durationNs?: number;
}

/** What became of the chart that drives a run (docs/events.md). Text tells it in short; JSON has it whole. */
export interface StateRecord {
  readonly kind: 'event';
  readonly event: 'state.entered' | 'step.ended' | 'td.ended';
  readonly td: string;
  readonly machine: string;
  readonly machineVersion: number;
  readonly state: string;
  /** Those taken since the state before, where a state is entered. */
  readonly transitions?: readonly string[];
  readonly step?: string;
  readonly result?: string;
  readonly outcome?: string;
}

/** The last record: how the command ended, or the TD of a run. Without it the trace was cut off. */
export interface EndRecord {
  readonly kind: 'end';
  readonly exit:
    | { readonly status: number }
    | { readonly signal: string }
    | { readonly outcome: string };
}

/** By the kernel's names of the fields. Numbers of 64 bits and all that reads better so are hex text. */
export type TraceArgs = Readonly<Record<string, TraceValue>>;

export type TraceValue =
  | string
  | number
  | boolean
  | null
  | readonly TraceValue[]
  | { readonly [name: string]: TraceValue };

/** `struct kvm_cpuid_entry2` in a trace; the registers are hex text. */
export interface TraceCpuidEntry {
  readonly function: string;
  readonly index: number;
  readonly flags: number;
  readonly eax: string;
  readonly ebx: string;
  readonly ecx: string;
  readonly edx: string;
}
