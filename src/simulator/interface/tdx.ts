/** KVM_MEMORY_ENCRYPT_OP and its sub-commands. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { UserStruct } from './caller.ts';
import type { CpuidHeader, UserCpuid } from './cpuid.ts';

/** `struct kvm_tdx_cmd`. `data` matters to the core only where it is no pointer (INIT_VCPU). */
export interface TdxCommandStruct {
  readonly id: number;
  readonly flags: number;
  readonly data: bigint;
  readonly hwError: bigint;
}

/** `struct kvm_tdx_init_vm`: cpuid.nent is read alone first, then the whole struct. */
export interface UserInitVm {
  readNent(): number | undefined;
  /** The struct with room for `nent` entries. */
  read(nent: number): InitVmStruct | undefined;
}

export interface InitVmStruct {
  readonly attributes: bigint;
  readonly xfam: bigint;
  /** Only the structs of some patch series have it; the others look at no such field. */
  readonly maxVcpus?: number | undefined;
  /** 48 bytes each. */
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  /** Any non-zero word is EINVAL. */
  readonly reserved: readonly bigint[];
  readonly cpuid: CpuidHeader & { readonly entries: readonly CpuidEntry[] };
}

/** `struct kvm_tdx_capabilities`: cpuid.nent is read, then the whole struct is written. */
export interface UserCapabilities {
  readNent(): number | undefined;
  write(value: CapabilitiesStruct): boolean;
}

export interface CapabilitiesStruct {
  readonly supportedAttributes: bigint;
  readonly supportedXfam: bigint;
  /** Bit n: user space may answer TDVMCALL n of GetTdVmCallInfo leaf 1. */
  readonly userTdvmcallInfo1R11: bigint;
  readonly cpuid: readonly CpuidEntry[];
}

export interface InitMemRegionStruct {
  readonly sourceAddr: bigint;
  readonly gpa: bigint;
  readonly nrPages: bigint;
}

/**
 * A caller with bytes reads the id of the command to choose the request; a command that it cannot
 * read, or of an id without a name here, goes as KVM_MEMORY_ENCRYPT_OP.
 */
export type TdxRequest =
  | { readonly request: 'KVM_MEMORY_ENCRYPT_OP'; readonly cmd: UserStruct<TdxCommandStruct> }
  | {
      readonly request: 'KVM_TDX_CAPABILITIES';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserCapabilities;
    }
  | {
      readonly request: 'KVM_TDX_INIT_VM';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserInitVm;
    }
  | {
      readonly request: 'KVM_TDX_INIT_VCPU' | 'KVM_TDX_FINALIZE_VM' | 'KVM_TDX_TERMINATE_VM';
      readonly cmd: UserStruct<TdxCommandStruct>;
    }
  | {
      readonly request: 'KVM_TDX_INIT_MEM_REGION';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserStruct<InitMemRegionStruct>;
    }
  | {
      readonly request: 'KVM_TDX_GET_CPUID';
      readonly cmd: UserStruct<TdxCommandStruct>;
      readonly data: UserCpuid;
    };
