/** Requests to a vCPU about its own state. */
import type { VcpuStateRequestName } from '../../abi/kvm/vcpu-state.ts';
import type { UserBytes, UserStruct } from './caller.ts';
import type { UserCpuid } from './cpuid.ts';

/** `struct kvm_tpr_access_ctl`; written back as it was read. */
export interface TprAccessStruct {
  readonly enabled: number;
  readonly flags: number;
}

/** `struct kvm_signal_mask`: its length, then the set. */
export interface UserSignalMask {
  readLength(): number | undefined;
  /** Bit n - 1: signal n is blocked while KVM_RUN waits. */
  readSignals(): bigint | undefined;
}

export type VcpuStateRequest =
  /** Structs that are moved whole; their sizes are in `src/abi/kvm/vcpu-state.ts`. */
  | { readonly request: VcpuStateRequestName; readonly state: UserBytes }
  | { readonly request: 'KVM_GET_CPUID2'; readonly cpuid: UserCpuid }
  | {
      readonly request: 'KVM_GET_MP_STATE' | 'KVM_SET_MP_STATE';
      readonly mpState: UserStruct<number>;
    }
  /** IA32_MCG_CAP */
  | { readonly request: 'KVM_X86_SETUP_MCE'; readonly mcgCap: UserStruct<bigint> }
  | {
      readonly request: 'KVM_TPR_ACCESS_REPORTING';
      readonly control: UserStruct<TprAccessStruct>;
    }
  | { readonly request: 'KVM_SET_VAPIC_ADDR'; readonly address: UserStruct<bigint> }
  /** undefined: the pointer was NULL, which takes the mask away. */
  | { readonly request: 'KVM_SET_SIGNAL_MASK'; readonly mask: UserSignalMask | undefined }
  | { readonly request: 'KVM_INTERRUPT'; readonly vector: UserStruct<number> }
  | { readonly request: 'KVM_KVMCLOCK_CTRL' | 'KVM_NMI' | 'KVM_SMI' };
