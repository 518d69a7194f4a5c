/**
 * The rules of one KVM as data. The model asks the record at the step a rule is about; it never asks
 * which record it has. Where kernels check the same things in another order, the record lists the
 * checks by name in its order.
 */
import type { TdxCommandName } from '../requests.ts';

export interface KernelAbi {
  readonly name: string;
  readonly description: string;
  /** Where the rules come from. */
  readonly source: string;
  /** What no source says: left open by a proposal, or not read. The record holds one choice. */
  readonly unconfirmed: readonly string[];
  readonly bringUp: BringUpRules;
  readonly maxVcpus: MaxVcpusRules;
  readonly keyId: KeyIdRules;
  /** Sub-commands of KVM_MEMORY_ENCRYPT_OP that exist; any other id is EINVAL. */
  readonly tdxCommands: readonly TdxCommandName[];
  readonly tdxDispatch: TdxDispatchRules;
  readonly initVm: InitVmRules;
  readonly createVcpu: CreateVcpuRules;
  /**
   * TD states that KVM_TDX_INIT_VCPU itself asks for: EIO in any other. Before it every kernel has
   * refused a TD without key ID and one that is RUNNABLE (EINVAL).
   */
  readonly initVcpuWhen: readonly TdState[];
  readonly initMemRegion: InitMemRegionRules;
  /** KVM_TDX_FINALIZE_VM is EINVAL while a page is mapped for the TD and not yet added to it. */
  readonly finalizeCountsPremapped: boolean;
  readonly guestMemfd: GuestMemfdRules;
  /** What user space may answer a MapGPA exit: KVM_RUN is EINVAL for any other. */
  readonly mapGpaResults: '0, EAGAIN, EINVAL' | 'any';
  /** undefined: KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM is EINVAL, and its fd is not looked at. */
  readonly move: MoveRules | undefined;
  readonly quirks: KernelQuirks;
}

/** The kernel's names without their prefix TD_STATE_. */
export type TdState = 'UNINITIALIZED' | 'INITIALIZED' | 'RUNNABLE';

export type VcpuBound =
  | 'KVM_MAX_VCPUS'
  | 'present CPUs'
  /** TDX_MAX_VCPUS: what fits the u16 of TD_PARAMS. */
  | '0xffff'
  | 'module max_vcpus_per_td';

export interface BringUpRules {
  /** The module takes fewer vCPUs in one TD than the host has CPUs. */
  readonly limitBelowPresentCpus: 'no KVM' | 'not checked';
  /** The module has no field MAX_VCPUS_PER_TD. */
  readonly limitMissing: 'no TDX' | 'counts as 0xffff';
}

export interface MaxVcpusRules {
  /** kvm->max_vcpus of a new TD: the least of these. None: 0, until another call sets it. */
  readonly atCreateVm: readonly VcpuBound[];
  /** KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS); undefined: not handled, EINVAL. */
  readonly capability: MaxVcpusCapability | undefined;
  /**
   * `max_vcpus` in KVM_TDX_INIT_VM. `sets the limit`: EINVAL above KVM_MAX_VCPUS. `must match`: EINVAL
   * unless it is kvm->max_vcpus. `covers the vCPUs`: EINVAL when more vCPUs exist, then sets the limit.
   */
  readonly inInitVm: 'no field' | 'sets the limit' | 'must match' | 'covers the vCPUs';
  /** KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) on the fd of a TD; on /dev/kvm it is KVM_MAX_VCPUS. */
  readonly checkExtensionOfTd: readonly ('kvm->max_vcpus' | VcpuBound)[];
}

/** In this order: zero, tooMany, vcpusExist. */
export interface MaxVcpusCapability {
  readonly vms: 'TDs' | 'all VMs';
  readonly zero: 'EINVAL' | 'accepted';
  readonly limits: readonly VcpuBound[];
  readonly tooMany: 'E2BIG' | 'EINVAL';
  readonly vcpusExist: 'EBUSY' | 'EINVAL';
}

export interface KeyIdRules {
  /** The ioctl that takes the TD's key ID from the pool and makes the TD in the module. */
  readonly takenAt: 'KVM_CREATE_VM' | 'KVM_TDX_INIT_VM';
  readonly poolEmpty: 'ENOSPC' | 'EBUSY';
}

export interface TdxDispatchRules {
  /** KVM_TDX_CAPABILITIES, after the command was read. `nent`: EFAULT; `size`: E2BIG. */
  readonly capabilitiesChecks: readonly ('flags' | 'nent' | 'size' | 'allocate')[];
  readonly capabilitiesWrittenBack: boolean;
  /** INIT_VM and FINALIZE_VM take the mutex of every vCPU, and a fatal signal ends that wait. */
  readonly vmCommandsLockVcpus: boolean;
  /** A command on a vCPU fd. `td state`: no key ID or RUNNABLE, EINVAL. */
  readonly vcpuChecks: readonly ('command' | 'locks' | 'td state')[];
  /** GET_CPUID comes in a second stage, which reads the command again. */
  readonly vcpuSecondStage: boolean;
}

export interface InitVmRules {
  /** What tells that INIT_VM was done already. */
  readonly doneWhen: 'state' | 'max_vcpus is set';
  /** `sized by nent`: cpuid.nent alone first, E2BIG above 256. `fixed size`: read once, EINVAL above its room. */
  readonly struct: 'sized by nent' | 'fixed size';
  /** Entries that belong to no configurable leaf. */
  readonly otherCpuid: 'EINVAL' | 'ignored';
  readonly vcpusExist: 'EBUSY' | 'accepted';
  /** TDH.MNG.CREATE refused for another reason than entropy: EIO either way. */
  readonly mngCreateRefused: 'bugs the VM' | 'warns';
}

export type CreateVcpuCheck =
  | 'id range'
  | 'vCPU limit'
  | 'id exists'
  | 'max_vcpu_ids'
  | 'allocate'
  | 'td state'
  | 'irqchip'
  | 'install the fd';

export interface CreateVcpuRules {
  readonly checks: readonly CreateVcpuCheck[];
  /** TD states in which a vCPU can be made: EIO in any other. */
  readonly when: readonly TdState[];
}

export interface InitMemRegionRules {
  readonly sourceAddressZero: 'EINVAL' | 'read like any other';
  /** TDH.MEM.SEPT.ADD and PAGE.ADD answering TDX_OPERAND_BUSY. */
  readonly operandBusy: 'retried until a signal comes' | 'EBUSY';
}

export interface GuestMemfdRules {
  /** `any VM`: private memory was a file of its own, made for no VM. */
  readonly bindsTo: 'its own VM' | 'any VM';
  /** KVM_LINK_GUEST_MEMFD exists. */
  readonly link: boolean;
}

/** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM between TDs. */
export interface MoveRules {
  /** The list of checks and what is moved: kernel/move/. */
  readonly protocol: 'rfc-v1' | 'rfc-v2';
  /** Slots that differ are EINVAL; or only their number counts. */
  readonly memslots: 'must match' | 'counts must match';
  /**
   * The two VMs have a different number of vCPUs. `moves on`: those that have a partner are moved and
   * the call succeeds. `unchecked`: as that, but a source vCPU without a partner is an oops.
   */
  readonly vcpuCountsDiffer: 'EINVAL' | 'moves on' | 'unchecked';
  /** The charge of the source's cgroup when the TD leaves it. */
  readonly sourceCharge: 'goes with the TD' | 'never released';
  /** The destination's memory attributes are emptied by a second move of the source's. */
  readonly losesMemoryAttributes: boolean;
}

export interface KernelQuirks {
  /**
   * A refused charge of the misc cgroup is taken back a second time, so that the usage ends one too
   * low (kernel-abi 2.6, read off the code).
   */
  readonly unchargesFailedCharge: boolean;
}
