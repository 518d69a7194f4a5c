/** Requests that a capability announces, and that move one small struct. */
import type { UserBytes, UserStruct } from './caller.ts';
import type { UserCpuid } from './cpuid.ts';
import type { EventfdFact } from './interrupts.ts';

/** `struct kvm_hyperv_eventfd` */
export interface HypervEventfdStruct {
  readonly connId: number;
  readonly eventfd: EventfdFact;
  readonly flags: number;
}

export type AnnouncedVmRequest =
  | {
      readonly request:
        | 'KVM_GET_PIT'
        | 'KVM_SET_PIT'
        | 'KVM_GET_PIT2'
        | 'KVM_SET_PIT2'
        | 'KVM_REINJECT_CONTROL'
        | 'KVM_SET_PMU_EVENT_FILTER'
        | 'KVM_XEN_HVM_CONFIG'
        | 'KVM_XEN_HVM_GET_ATTR'
        | 'KVM_XEN_HVM_SET_ATTR'
        | 'KVM_XEN_HVM_EVTCHN_SEND';
      readonly struct: UserBytes;
    }
  | { readonly request: 'KVM_RESET_DIRTY_RINGS' }
  | { readonly request: 'KVM_HYPERV_EVENTFD'; readonly args: UserStruct<HypervEventfdStruct> };

export type AnnouncedVcpuRequest =
  | {
      readonly request:
        | 'KVM_TRANSLATE'
        | 'KVM_X86_SET_MCE'
        | 'KVM_GET_REG_LIST'
        | 'KVM_XEN_VCPU_GET_ATTR'
        | 'KVM_XEN_VCPU_SET_ATTR';
      readonly struct: UserBytes;
    }
  | {
      readonly request: 'KVM_GET_ONE_REG' | 'KVM_SET_ONE_REG';
      readonly struct: UserBytes;
      /** Where `addr` of the struct points to, as it was read last. */
      readonly value: UserStruct<bigint>;
    }
  | { readonly request: 'KVM_SET_CPUID'; readonly cpuid: UserCpuid };

/** On /dev/kvm and on a vCPU. */
export interface HypervCpuidRequest {
  readonly request: 'KVM_GET_SUPPORTED_HV_CPUID';
  readonly cpuid: UserCpuid;
}
