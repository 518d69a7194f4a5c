/**
 * The rules of one KVM as data. The model asks the record; it never asks which record it has.
 */
import type { TdxCommandName } from '../../abi/kvm/requests.ts';

export interface KernelAbi {
  readonly name: string;
  readonly description: string;
  /** Where the rules come from. */
  readonly source: string;
  /** Sub-commands of KVM_MEMORY_ENCRYPT_OP that exist; any other id is EINVAL. */
  readonly tdxCommands: readonly TdxCommandName[];
  readonly maxVcpus: MaxVcpusRules;
  /** TD state that KVM_CREATE_VCPU asks for: EIO outside it. */
  readonly createVcpuWhen: readonly TdState[];
  readonly quirks: KernelQuirks;
}

/** The kernel's names without their prefix TD_STATE_. */
export type TdState = 'UNINITIALIZED' | 'INITIALIZED' | 'RUNNABLE';

export interface MaxVcpusRules {
  /** What bounds kvm->max_vcpus of a TD when it is created: the least of these. */
  readonly atCreateVm: readonly VcpuBound[];
  /** KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) is handled; no released kernel does. */
  readonly capability: boolean;
}

export type VcpuBound = 'KVM_MAX_VCPUS' | 'present CPUs';

export interface KernelQuirks {
  /**
   * A refused charge of the misc cgroup is taken back a second time, so that the usage ends one too
   * low (kernel-abi 2.6, read off the code).
   */
  readonly unchargesFailedCharge: boolean;
}
