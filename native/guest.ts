/** A guest that runs: its vCPUs on threads of the addon, and few devices. */
import type { VcpuStateShape } from './state.ts';

/** All that a guest is made of but its VM and its vCPUs. */
export interface GuestSettings {
  /** What `kvmGetVcpuMmapSize()` says. */
  readonly runBytes: number;
  /** How the interrupt of COM1 gets to the guest. It gets none where this is left out. */
  readonly interrupt?: GuestInterrupt;
  /**
   * The kernel has the local APICs, and with them the task priority, which is else handed over in kvm_run. A TD's
   * is always there, and it refuses to tell (KVM_GET_SREGS).
   */
  readonly apicInKernel?: boolean;
  /** Where isa-debug-exit is: a write there ends the guest. Left out, there is none. */
  readonly debugExitPort?: number;
  /** What there is of a vCPU's state: for `getPacked`, in a VM whose interrupt controllers and timer the kernel has. */
  readonly stateShape?: VcpuStateShape;
  /** How much of a console waits for its handler: 1 MiB where left out. */
  readonly consoleBytes?: number;
  readonly handlers: GuestHandlers;
}

/** KVM_IRQ_LINE where the irqchip is full, KVM_SIGNAL_MSI where it is split. */
export type GuestInterrupt =
  | { readonly line: number }
  | { readonly msiAddress: bigint; readonly msiData: number };

/** They are called one at a time, on the thread that made the guest. */
export interface GuestHandlers {
  /**
   * What the guest has sent on COM1 since the last call. `lostBytes` came after `bytes` and were dropped,
   * because more than `consoleBytes` waited.
   */
  readonly console: (bytes: Uint8Array, lostBytes: number) => void;
  /** The same of the port 0x402. */
  readonly debugConsole: (bytes: Uint8Array, lostBytes: number) => void;
  /**
   * An exit that the addon does not answer itself; `vcpu` is the place in `vcpus`. The vCPU waits for what
   * is returned or promised. Nothing, and a handler that throws, answer as an absent device does: all ones
   * are read, a hypercall is unknown (-KVM_ENOSYS), a TDVMCALL is refused as KVM would, and a memory fault
   * ends the guest.
   */
  readonly exit: (
    vcpu: number,
    exit: GuestExit,
  ) => GuestAnswer | undefined | Promise<GuestAnswer | undefined>;
  /** The guest has come to its end, and all of its vCPUs are parked: what is left is to look, and `stop()`. */
  readonly ended: (end: GuestEnd) => void;
  /** What another handler threw, or its promise rejected with, or a mistake in its answer. */
  readonly failed: (error: unknown) => void;
}

/** By the fields of `struct kvm_run`; `data` is there for a write. */
export type GuestExit =
  | {
      readonly kind: 'mmio';
      readonly gpa: bigint;
      readonly sizeBytes: number;
      readonly data?: Uint8Array;
    }
  | { readonly kind: 'hypercall'; readonly nr: bigint; readonly args: readonly bigint[] }
  | ({ readonly kind: 'memory-fault' } & MemoryFault)
  | ({ readonly kind: 'tdx'; readonly nr: bigint } & TdxWords);

interface MemoryFault {
  readonly flags: bigint;
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

/** Which of them there are depends on `nr`, the leaf of the TDVMCALL. */
export interface TdxWords {
  readonly ret?: bigint;
  /** GetQuote. */
  readonly gpa?: bigint;
  readonly size?: bigint;
  /** GetTdVmCallInfo. */
  readonly leaf?: bigint;
  readonly r11?: bigint;
  readonly r12?: bigint;
  readonly r13?: bigint;
  readonly r14?: bigint;
  /** SetupEventNotifyInterrupt. */
  readonly vector?: bigint;
  /** Any other. */
  readonly data0?: bigint;
  readonly data1?: bigint;
  readonly data2?: bigint;
  readonly data3?: bigint;
  readonly data4?: bigint;
}

/** Of each kind what applies: `data` for a read of MMIO, `ret` for a hypercall, the words of a TDVMCALL. */
export interface GuestAnswer extends TdxWords {
  /** Exactly `sizeBytes` of them. */
  readonly data?: Uint8Array;
  /** The memory fault was mended: the vCPU tries again. */
  readonly retry?: boolean;
}

/** `vcpu` is the place in `vcpus` of the one that ended the guest. */
export type GuestEnd = {
  readonly vcpu: number;
} /** What a guest asks for; `shutdown` is what a triple fault does. */ & (
  | { readonly kind: 'power-off' | 'reset' | 'shutdown' }
  /** HLT without an APIC in the kernel: nothing could wake it. */
  | { readonly kind: 'halted' }
  /** The value that was written to isa-debug-exit. */
  | { readonly kind: 'debug-exit'; readonly value: number }
  | { readonly kind: 'fail-entry'; readonly reason: bigint; readonly cpu: number }
  | {
      readonly kind: 'internal-error';
      readonly suberror: number;
      readonly data: readonly bigint[];
    }
  | { readonly kind: 'system-event'; readonly type: number; readonly data: readonly bigint[] }
  | ({ readonly kind: 'memory-fault' } & MemoryFault)
  | { readonly kind: 'unknown-exit'; readonly exitReason: number }
  | { readonly kind: 'run-failed'; readonly errno: number; readonly code: string }
);

export interface Guest {
  /**
   * Lets every vCPU run. It throws EBADF once the guest is stopped, ESHUTDOWN once it has ended, and EBUSY
   * while a call on one of its vCPUs is in flight. A pause that is not done rejects with ECANCELED.
   */
  run(): void;
  /**
   * Resolves once every vCPU is parked, with its port I/O and MMIO completed: from then on its state can be
   * read and written. A vCPU that waits for a handler parks after that.
   */
  pause(): Promise<void>;
  /**
   * Waits until every vCPU is parked, where a pause was asked for, and holds up this thread meanwhile: false where
   * that takes longer. The pause resolves later all the same, or by `tellNow()`.
   */
  awaitParked(withinMs: number): boolean;
  /** The same until every vCPU has come to KVM_RUN since `run()`. */
  awaitCalled(withinMs: number): boolean;
  /** Calls the handlers now for what has come up, and settles what can be, which a turn of the event loop does else. */
  tellNow(): void;
  /** Has the memory at hand that `getPacked` takes, so that this is done sooner. The guest may run. */
  preparePacked(): void;
  /**
   * The state of VM, vCPUs and devices in one, for `setPacked` of another guest that is made in the same way, in this
   * version of the addon. It throws EBUSY while a vCPU is not parked, EBADF once the guest is stopped, EINVAL without
   * `stateShape`, and what the kernel answers.
   */
  getPacked(): Uint8Array;
  /** It throws as `setDevices`, what the kernel answers, and RangeError for what is of another guest or version. */
  setPacked(state: Uint8Array): void;
  /**
   * Ends the threads and waits for that, which takes no longer than an exit from the guest: what waits for a
   * handler is let go. What is left of the console is told afterwards. It may be called again.
   */
  stop(): void;
  /** Input for COM1. Returns how many bytes were taken: 64 KiB wait for a guest that does not read. */
  input(bytes: Uint8Array): number;
  counts(): GuestCounts;
  /**
   * Resolves once KVM has taken every vCPU into its loop since the last `run()`, and rejects where it refused
   * one: with the errno of KVM_RUN, or ESHUTDOWN where an exit says it, as `ended` tells. Where nothing else
   * brings a vCPU back from KVM_RUN it is interrupted once, to know; that may be before its first instruction,
   * whose failure only `ended` tells then. ECANCELED where the guest was paused before, and EBADF where it is
   * stopped.
   */
  entered(): Promise<void>;
  /** Also once it is stopped. */
  times(): GuestTimes;
  /**
   * The state of the devices, for another guest. It throws EBUSY while the guest runs, and EBADF once it is
   * stopped. What the guest has written is not in it: the handlers have it by the time a pause resolves.
   */
  getDevices(): GuestDevices;
  /**
   * Makes the devices what those of another guest were. Its interrupt line gets the level that it had there;
   * a message is not sent again. Input that waited here is dropped.
   */
  setDevices(devices: GuestDevices): void;
}

/** What a guest has set its devices to, and the input it has not read yet. */
export interface GuestDevices {
  /** Of this layout. */
  readonly version: 1;
  readonly com1: SerialPortState;
  /** The port 0xcf9. */
  readonly resetControl: number;
}

/** The registers of a 16550, and its queues. */
export interface SerialPortState {
  readonly divisor: number;
  readonly interruptEnable: number;
  readonly lineControl: number;
  readonly modemControl: number;
  readonly scratch: number;
  readonly fifosEnabled: boolean;
  /** The guest has not been told yet that its last byte is gone. */
  readonly transmitterPending: boolean;
  /** Input, up to 64 KiB. */
  readonly received: Uint8Array;
  /** What was sent in loop-back mode, up to 16 bytes. */
  readonly looped: Uint8Array;
}

/** On the clock of `process.hrtime.bigint()`. What is missing has not come yet. */
export interface GuestTimes {
  /** When the last vCPU was parked, by the last pause. */
  readonly parkedNs?: bigint;
  /** When the last vCPU went into KVM_RUN for the first time since `run()`, just before the call. */
  readonly enteredNs?: bigint;
  /** When that one came back from there, by an exit or a kick: until then it may not have run a single instruction. */
  readonly exitedNs?: bigint;
}

export interface GuestCounts {
  readonly exits: number;
  /** Those that went to the handler `exit`. */
  readonly handedOn: number;
  readonly handlerErrors: number;
  readonly lostConsoleBytes: number;
}
