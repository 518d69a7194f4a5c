/**
 * The rules of one KVM as data. Which checks it makes of a request, and in which order, is a list of
 * rows of the book (../checks/). What is no check, because it changes what a call does rather than
 * whether it is refused, has a field of its own. The model asks the record; it never asks which it has.
 */

import type { CheckedRequest, CheckName, KernelChecks } from '../checks/index.ts';
import type { TdxCommandName } from '../requests.ts';

export interface KernelAbi {
  readonly name: string;
  readonly description: string;
  /** Where the rules come from. */
  readonly source: string;
  /** What no source says: left open by a proposal, or not read. The record holds one choice. */
  readonly unconfirmed: readonly string[];
  readonly checks: KernelChecks;
  /** Checks that stand in the code, and that nothing can come to. */
  readonly unreachable: readonly CheckName[];
  readonly bringUp: BringUpRules;
  readonly maxVcpus: MaxVcpusRules;
  readonly keyId: KeyIdRules;
  readonly initVm: InitVmRules;
  readonly memory: MemoryRules;
  /** undefined: no TD can be moved. */
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
  /** What KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) takes at most, where the kernel has it. */
  readonly capabilityTakes: readonly VcpuBound[];
  /** struct kvm_tdx_init_vm has a field max_vcpus, which sets kvm->max_vcpus. */
  readonly inInitVm: boolean;
  /** KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) on the fd of a TD; on /dev/kvm it is KVM_MAX_VCPUS. */
  readonly checkExtensionOfTd: readonly ('kvm->max_vcpus' | VcpuBound)[];
}

export interface KeyIdRules {
  /** The ioctl that takes the TD's key ID from the pool and makes the TD in the module. */
  readonly takenAt: 'KVM_CREATE_VM' | 'KVM_TDX_INIT_VM';
}

export interface InitVmRules {
  /** What tells that INIT_VM was done already. */
  readonly doneWhen: 'state' | 'max_vcpus is set';
  /** `sized by nent`: cpuid.nent is read alone first. `fixed size`: 16384 bytes are read at once. */
  readonly struct: 'sized by nent' | 'fixed size';
}

export interface MemoryRules {
  /**
   * What tells private pages from shared ones. Those of a guest_memfd can hold both, and a new one is
   * private unless it was made with GUEST_MEMFD_FLAG_INIT_SHARED.
   */
  readonly attributesOf: 'the VM' | 'each guest_memfd';
  /** Whether the kernel turns on dynamic PAMT where canHaveDynamicPamt() says that it can be had. */
  readonly pamt: 'static' | 'dynamic where it can be had';
}

/** KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM between TDs. */
export interface MoveRules {
  readonly protocol: 'rfc-v1' | 'rfc-v2';
  /** The charge of the source's cgroup when the TD leaves it. */
  readonly sourceCharge: 'goes with the TD' | 'never released';
  /** The destination's memory attributes are emptied by a second move of the source's. */
  readonly losesMemoryAttributes: boolean;
}

export interface KernelQuirks {
  /**
   * A refused charge of the misc cgroup is taken back a second time, so that the usage ends one too
   * low. Read off __tdx_td_init() in arch/x86/kvm/vmx/tdx.c: its error path calls tdx_hkid_free().
   */
  readonly unchargesFailedCharge: boolean;
}

export function makesCheck(abi: KernelAbi, request: CheckedRequest, check: CheckName): boolean {
  return abi.checks[request].includes(check);
}

/**
 * The place of a check among those that the kernel makes of a request, from 1. undefined: it makes none
 * such, or it looks at the file first, whatever the request.
 */
export function stepOf(
  abi: KernelAbi,
  request: CheckedRequest,
  check: CheckName,
): number | undefined {
  const numbered = abi.checks[request].filter((each) => !isBeforeAll(each));
  const at = numbered.indexOf(check);
  return at === -1 ? undefined : at + 1;
}

/** Checks of the file rather than of what it is asked: they have no number. */
export function isBeforeAll(check: string): boolean {
  return /^(file|vm|vcpu)\./.test(check);
}

/** Whether the kernel has a sub-command of KVM_MEMORY_ENCRYPT_OP. */
export function hasCommand(abi: KernelAbi, command: TdxCommandName): boolean {
  return !makesCheck(abi, command, 'command.unknown');
}

/** Whether KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) sets the number of vCPUs a VM may have. */
export function hasMaxVcpusCap(abi: KernelAbi): boolean {
  return !makesCheck(abi, 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)', 'enable-cap.unknown');
}

/** Whether KVM tells answers of user space to a MapGPA exit apart, rather than 0 and any other. */
export function tellsMapGpaAnswersApart(abi: KernelAbi): boolean {
  return makesCheck(abi, 'KVM_RUN', 'run.map-gpa-answer');
}

/** Whether a vCPU can be made before KVM_TDX_INIT_VM: what the destination of a move needs. */
export function makesVcpusFirst(abi: KernelAbi): boolean {
  return !makesCheck(abi, 'KVM_CREATE_VCPU', 'create-vcpu.td-state');
}

/** How two VMs come to the same private pages: by KVM_LINK_GUEST_MEMFD, by the same file, or not at all. */
export function guestMemorySharing(abi: KernelAbi): 'link' | 'bind' | 'no' {
  if (!makesCheck(abi, 'KVM_LINK_GUEST_MEMFD', 'request.unknown-on-vm')) return 'link';
  const looksAtOwner = makesCheck(
    abi,
    'KVM_SET_USER_MEMORY_REGION2',
    'memory-region.memfd-of-other-vm',
  );
  return looksAtOwner ? 'no' : 'bind';
}
