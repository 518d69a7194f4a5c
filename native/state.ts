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
  readonly tscOffset?: bigint;
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
