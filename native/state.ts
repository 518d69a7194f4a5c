/**
 * The state of a vCPU, which the kernel gives and takes while the vCPU does not run. Structs are their
 * bytes, in the layout of arch/x86/include/uapi/asm/kvm.h, but where fields are what a caller wants.
 */

/** `struct kvm_regs`. */
export interface Regs {
  readonly rax: bigint;
  readonly rbx: bigint;
  readonly rcx: bigint;
  readonly rdx: bigint;
  readonly rsi: bigint;
  readonly rdi: bigint;
  readonly rsp: bigint;
  readonly rbp: bigint;
  readonly r8: bigint;
  readonly r9: bigint;
  readonly r10: bigint;
  readonly r11: bigint;
  readonly r12: bigint;
  readonly r13: bigint;
  readonly r14: bigint;
  readonly r15: bigint;
  readonly rip: bigint;
  readonly rflags: bigint;
}

/** `struct kvm_msr_entry`. */
export interface MsrEntry {
  readonly index: number;
  readonly data: bigint;
}

/** What there is of a vCPU's state, as the capabilities of the host and the VM say. */
export interface VcpuStateShape {
  /** The MSRs to get: those of `kvmGetMsrIndexList()`. */
  readonly msrs: readonly number[];
  /** KVM_CHECK_EXTENSION(KVM_CAP_XSAVE2) on the VM; KVM_GET_XSAVE2 is asked where it is not 0. */
  readonly xsaveBytes: number;
  /** KVM_CAP_SREGS2 is there; otherwise KVM_GET_SREGS is asked. */
  readonly sregs2: boolean;
  /** The VM's APICs are in the kernel. */
  readonly lapic: boolean;
  /** KVM_CAP_GET_TSC_KHZ is there: the TSC goes on with the frequency that it has. */
  readonly tscKhz: boolean;
  /** KVM_CAP_VCPU_ATTRIBUTES is there: the TSC goes on with the offset that it has. */
  readonly tscOffset: boolean;
}

/** All of a vCPU but its CPUID. */
export interface VcpuState {
  readonly mpState: number;
  readonly regs: Regs;
  /** 64 bytes. */
  readonly vcpuEvents: Uint8Array;
  /** 312 bytes; either this or `sregs2`. */
  readonly sregs?: Uint8Array;
  /** 320 bytes. */
  readonly sregs2?: Uint8Array;
  /** 4096 bytes or more. */
  readonly xsave: Uint8Array;
  /** 392 bytes. */
  readonly xcrs: Uint8Array;
  /** 128 bytes. */
  readonly debugregs: Uint8Array;
  /** 1024 bytes. */
  readonly lapic?: Uint8Array;
  /** `struct kvm_msr_entry`, 16 bytes for each MSR. */
  readonly msrs: Uint8Array;
  /** The MSRs that the kernel lists and would not give. */
  readonly refusedMsrs?: readonly number[];
  /** A host refuses (EINVAL) one that is not its own and that it cannot scale to: KVM_CAP_TSC_CONTROL is 0 there. */
  readonly tscKhz?: number;
  readonly tscOffset?: bigint;
}

/** What a VM has of interrupt controllers, timers and clocks, as it was made. */
export interface VmStateShape {
  /** KVM_CREATE_IRQCHIP was called: the controllers are in the kernel. */
  readonly irqchip: boolean;
  /** KVM_CREATE_PIT2 was called. */
  readonly pit: boolean;
  /** KVM_CAP_ADJUST_CLOCK is there. */
  readonly clock: boolean;
}

/** All that the kernel keeps of a VM but its memory and its vCPUs. */
export interface VmState {
  /** `struct kvm_irqchip`, 520 bytes each: the first PIC, the second one, and the I/O APIC. */
  readonly irqchips?: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** `struct kvm_pit_state2`, 112 bytes. */
  readonly pit?: Uint8Array;
  /**
   * `struct kvm_clock_data`, 48 bytes. With KVM_CLOCK_REALTIME in its flags (byte 8), which the kernel gives
   * where it can, the clock of the other VM is ahead by the time that went by meanwhile; without, it goes on.
   */
  readonly clock?: Uint8Array;
}

export interface VmStateMethods {
  /** All of it in the kernel's order, in one trip to a worker thread. */
  getState(shape: VmStateShape): Promise<VmState>;
  /** All of it into a VM that was made the same way: before the state of its vCPUs. */
  setState(state: VmState): Promise<void>;
}

/** The part of a Vcpu that is about its state. While its guest runs, each of them rejects with EBUSY. */
export interface VcpuStateMethods {
  kvmGetRegs(): Promise<Regs>;
  kvmSetRegs(regs: Regs): Promise<void>;
  kvmGetSregs(): Promise<Uint8Array>;
  kvmSetSregs(bytes: Uint8Array): Promise<void>;
  kvmGetSregs2(): Promise<Uint8Array>;
  kvmSetSregs2(bytes: Uint8Array): Promise<void>;
  kvmGetXsave(): Promise<Uint8Array>;
  /** `sizeBytes` is what KVM_CAP_XSAVE2 says, 4096 at least: the kernel writes as much as it says. */
  kvmGetXsave2(sizeBytes: number): Promise<Uint8Array>;
  /** KVM_SET_XSAVE takes the bytes of either. */
  kvmSetXsave(bytes: Uint8Array): Promise<void>;
  kvmGetXcrs(): Promise<Uint8Array>;
  kvmSetXcrs(bytes: Uint8Array): Promise<void>;
  kvmGetVcpuEvents(): Promise<Uint8Array>;
  kvmSetVcpuEvents(bytes: Uint8Array): Promise<void>;
  kvmGetDebugregs(): Promise<Uint8Array>;
  kvmSetDebugregs(bytes: Uint8Array): Promise<void>;
  kvmGetLapic(): Promise<Uint8Array>;
  kvmSetLapic(bytes: Uint8Array): Promise<void>;
  /** One of `mpStates`. */
  kvmGetMpState(): Promise<number>;
  kvmSetMpState(mpState: number): Promise<void>;
  /** KVM_GET_MSRS stops at the first MSR that is refused: the addon leaves it out and goes on. */
  kvmGetMsrs(indices: readonly number[]): Promise<MsrEntry[]>;
  /** KVM_SET_MSRS, which goes on in the same way. The promise gives the MSRs that were refused. */
  kvmSetMsrs(entries: readonly MsrEntry[]): Promise<number[]>;
  kvmGetTscKhz(): Promise<number>;
  /** KVM_VCPU_TSC_OFFSET: what is added to the host's TSC, modulo 2 ** 64. */
  kvmGetTscOffset(): Promise<bigint>;
  kvmSetTscOffset(offset: bigint): Promise<void>;
  /** All of the state in the kernel's order, in one trip to a worker thread. */
  getState(shape: VcpuStateShape): Promise<VcpuState>;
  /**
   * All of the state into a vCPU that has the same CPUID. The promise gives the MSRs that were refused.
   * IA32_TSC is left out where there is a `tscOffset`.
   */
  setState(state: VcpuState): Promise<number[]>;
}
