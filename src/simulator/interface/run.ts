/** KVM_RUN: the page it shares with user space, its exits, and the script that stands for a guest. */
import type { UserBytes } from './caller.ts';

/** KVM_RUN, which goes to `run()` of the machine: it does not answer at once. */
export interface RunRequest {
  readonly request: 'KVM_RUN';
  /** Must be 0. */
  readonly arg: bigint;
  readonly page: RunPage;
}

/** `struct kvm_run`, the page that a vCPU shares with user space. */
export interface RunPage {
  /** Read as KVM_RUN begins. */
  read(): RunPageInput;
  /** Written before KVM_RUN answers. */
  writeExit(exit: VcpuExit): void;
  /** Written as KVM_RUN begins (flags), and before it answers, whatever it answers. */
  writeHead(head: Partial<RunPageHead>): void;
  /** `s.regs`, which is `struct kvm_sync_regs`. */
  readonly registers: UserBytes;
}

export interface RunPageInput {
  readonly immediateExit: boolean;
  /** The registers that user space wants to see after the run: KVM_SYNC_X86_REGS, SREGS, EVENTS. */
  readonly validRegs: bigint;
  /** Those that it has changed. */
  readonly dirtyRegs: bigint;
  /** The task priority, where the vCPU has no local APIC in the kernel. */
  readonly cr8: bigint;
  /**
   * What user space answers to the exit before: hypercall.ret, tdx.*.ret, or the data of an IN or of
   * an MMIO read.
   */
  readonly result: bigint;
  /** After GetTdVmCallInfo, besides its ret: r11 to r14. Absent: all 0. */
  readonly tdVmCallInfo?: readonly [r11: bigint, r12: bigint, r13: bigint, r14: bigint];
}

/** What a run leaves besides its exit. */
export interface RunPageHead {
  readonly flags: number;
  readonly ifFlag: boolean;
  readonly readyForInterruptInjection: boolean;
  readonly cr8: bigint;
  readonly apicBase: bigint;
  /** Those that KVM has taken are no longer set. */
  readonly dirtyRegs: bigint;
}

export type Direction = 'in' | 'out';

/** Why KVM_RUN returned; names and fields are those of `struct kvm_run` in include/uapi/linux/kvm.h. */
export type VcpuExit =
  | { readonly reason: 'KVM_EXIT_INTR' | 'KVM_EXIT_SHUTDOWN' }
  | {
      readonly reason: 'KVM_EXIT_IO';
      readonly direction: Direction;
      readonly port: number;
      readonly sizeBytes: 1 | 2 | 4;
      /** What an OUT wrote. */
      readonly data: bigint;
    }
  | {
      readonly reason: 'KVM_EXIT_MMIO';
      readonly physAddr: bigint;
      /** What was written, as a little-endian number of `len` bytes; 0 of a read. */
      readonly data: bigint;
      readonly len: 1 | 2 | 4 | 8;
      readonly isWrite: boolean;
    }
  | {
      /** Of a TD: MapGPA, as KVM_HC_MAP_GPA_RANGE. KVM presets hypercall.ret to 0. */
      readonly reason: 'KVM_EXIT_HYPERCALL';
      readonly nr: number;
      readonly args: readonly bigint[];
      readonly flags: bigint;
    }
  | {
      readonly reason: 'KVM_EXIT_INTERNAL_ERROR';
      readonly suberror: number;
      /** Absent: none. */
      readonly data?: readonly bigint[];
    }
  | {
      readonly reason: 'KVM_EXIT_SYSTEM_EVENT';
      readonly type: number;
      readonly data: readonly bigint[];
    }
  | {
      /** The one exit with an errno: KVM_RUN fails with it. */
      readonly reason: 'KVM_EXIT_MEMORY_FAULT';
      readonly errno: 'EFAULT' | 'EHWPOISON';
      readonly flags: bigint;
      readonly gpa: bigint;
      readonly size: bigint;
    }
  | {
      readonly reason: 'KVM_EXIT_TDX';
      readonly nr: number;
      /** What KVM presets as the answer, for a VMM that does not know the call. Absent: 0. */
      readonly ret?: bigint;
      /** What follows `ret` in the union: {gpa, size}, {leaf, r11, r12, r13, r14} or {vector}. */
      readonly data: readonly bigint[];
    };

/** Stands for the guest's code: decides what a vCPU that runs does next. */
export interface GuestScript {
  /** @param cancelled aborts when nobody waits for the exit any more. */
  run(vcpu: RunningVcpu, cancelled: AbortSignal): GuestEvent | Promise<GuestEvent>;
}

/**
 * What the guest does. A {@link TdVmCall} is the guest's request, and the kernel decides whether user
 * space sees an exit, several, or none; a {@link VcpuExit} is an exit as it is, whatever the kernel
 * would have made of it. `touches unaccepted memory`: kvm_vm_dead, EIO.
 */
export type GuestEvent = TdVmCall | VcpuExit | 'touches unaccepted memory';

/**
 * TDG.VP.VMCALL of a TD, by the names of the GHCI. Addresses are the guest's, with the shared bit. A
 * guest that is no TD gets #UD from TDCALL, and shuts down.
 */
export type TdVmCall =
  | { readonly tdvmcall: 'MapGPA' | 'GetQuote'; readonly gpa: bigint; readonly size: bigint }
  | { readonly tdvmcall: 'GetTdVmCallInfo'; readonly leaf: bigint }
  | { readonly tdvmcall: 'SetupEventNotifyInterrupt'; readonly vector: bigint }
  | {
      readonly tdvmcall: 'ReportFatalError';
      /** Those that the guest passes; the others are 0. r12 is the error code, r13 a GPA. */
      readonly registers: Readonly<Partial<Record<TdVmCallRegister, bigint>>>;
    }
  | {
      readonly tdvmcall: 'Instruction.IO';
      readonly direction: Direction;
      readonly port: number;
      readonly sizeBytes: number;
      /** What an OUT writes. */
      readonly data: bigint;
    }
  | {
      readonly tdvmcall: '#VE.RequestMMIO';
      readonly isWrite: boolean;
      readonly gpa: bigint;
      readonly sizeBytes: number;
      readonly data: bigint;
    }
  /** A leaf that KVM does not know. */
  | { readonly tdvmcall: 'other'; readonly leaf: bigint };

/** Registers that TDG.VP.VMCALL shows the host. */
export type TdVmCallRegister =
  | 'rcx'
  | 'rdx'
  | 'rbx'
  | 'rsi'
  | 'rdi'
  | 'r8'
  | 'r9'
  | 'r10'
  | 'r11'
  | 'r12'
  | 'r13'
  | 'r14'
  | 'r15';

/** What the guest finds in its registers after the call; those that are absent are as it had them. */
export interface TdVmCallAnswer {
  /** 0, or a TDVMCALL status: RETRY, INVALID_OPERAND, ALIGN_ERROR, SUBFUNC_UNSUPPORTED. */
  readonly r10: bigint;
  /** MapGPA that failed: the address to go on from. A read: what was read. */
  readonly r11?: bigint;
  readonly r12?: bigint;
  readonly r13?: bigint;
  readonly r14?: bigint;
}

export interface RunningVcpu {
  /** Identity of the guest, which a move to another VM keeps. */
  readonly guest: number;
  readonly vcpuId: number;
  /** What a guest physical address has set that means shared memory; undefined: no TD. */
  readonly sharedBit: bigint | undefined;
  /** What user space answered to the exit before. */
  readonly result: bigint;
  /** The answer to the TDVMCALL before; undefined where the event before was none. */
  readonly tdvmcall: TdVmCallAnswer | undefined;
}
