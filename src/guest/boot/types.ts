/** What the start of a kernel is made of, and what it comes to. */
import type { GeneralRegisters, SpecialRegisters } from '../../abi/kvm/registers.ts';

/** Something that a user gave, and where: a path, or `file:line:col`. */
export interface Given<Value> {
  readonly value: Value;
  readonly place: string;
}

export interface GuestRange {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

export interface BootRequest {
  readonly kernel: Given<Uint8Array>;
  readonly initrd?: Given<Uint8Array> | undefined;
  readonly cmdline: Given<string>;
  /** Ranges that do not overlap. The first megabyte is RAM, which is all zero but for what is written here. */
  readonly memory: Given<readonly (GuestRange & { readonly holds: 'ram' | 'firmware' })[]>;
  readonly vcpus: VcpuCounts;
}

export interface VcpuCounts {
  /** Those that start; their APIC IDs are 0, 1, 2 and so on. */
  readonly started: number;
  /** Those that there are; the rest may be brought online later. */
  readonly created: number;
}

export interface GuestWrite {
  readonly gpa: bigint;
  readonly bytes: Uint8Array;
}

/**
 * Of the vCPU with APIC ID 0, which is runnable. The others stay as KVM makes them beside an irqchip of its own:
 * waiting until the kernel starts them (INIT, SIPI).
 */
export interface BootRegisters {
  /** `struct kvm_regs`. */
  readonly regs: GeneralRegisters;
  /** What `struct kvm_sregs` has beyond it stays as KVM made it. */
  readonly sregs: SpecialRegisters;
}

export interface BootState {
  readonly protocol: 'linux64' | 'pvh';
  /** No two of them overlap. */
  readonly writes: readonly GuestWrite[];
  readonly registers: BootRegisters;
}
