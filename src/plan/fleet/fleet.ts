/** The VMs of a host, as far as their number of vCPUs costs memory. */
import type { TrustDomain } from '../../spec/trust-domain.ts';

/** CONFIG_KVM_MAX_NR_VCPUS (Linux 7.3, arch/x86/kvm/Kconfig) is 1024 unless a build changes it. */
export const kvmMaxVcpusRange = { min: 1024, max: 4096, default: 1024 } as const;

/** KVM_MAX_VCPU_IDS is this many times KVM_MAX_VCPUS (arch/x86/include/asm/kvm_host.h). */
export const vcpuIdRatio = 4;

/** TD_PARAMS.MAX_VCPUS has 16 bits. */
export const maxVcpusOfTdParams = 0xffff;

/** A group of equal VMs. */
export interface VmGroup {
  readonly name: string;
  readonly type: 'plain' | 'td';
  readonly count: number;
  /** How many vCPUs of each VM run. */
  readonly vcpus: number;
  /**
   * The seed thread has two kinds of VM: the most it will ever have is known beforehand, or vCPUs
   * come on demand, up to KVM's limit. A TD is of the first kind: FINALIZE_VM ends it.
   */
  readonly maxVcpus: number | 'unbounded';
  /** The largest vCPU id (x2APIC id) it may get; undefined stands for ids without gaps from 0. */
  readonly maxVcpuId: number | undefined;
  /** The file that says what each of these TDs is, with its memory; undefined where only vCPUs are given. */
  readonly td?: TrustDomain | undefined;
}

export interface Fleet {
  readonly name: string;
  readonly kvmMaxVcpus: number;
  readonly groups: readonly VmGroup[];
}

export function maxVcpusOf(group: VmGroup, { kvmMaxVcpus }: Fleet): number {
  return group.maxVcpus === 'unbounded' ? kvmMaxVcpus : group.maxVcpus;
}

/** A TD has all its vCPUs created before FINALIZE_VM, a plain VM when they are needed. */
export function createdVcpus(group: VmGroup, fleet: Fleet): number {
  return group.type === 'td' ? maxVcpusOf(group, fleet) : group.vcpus;
}

/** Gives what KVM_CAP_MAX_VCPU_ID would be set to, which is one more than the largest id. */
export function maxVcpuIdsOf(group: VmGroup, fleet: Fleet): number {
  if (group.maxVcpus === 'unbounded') return vcpuIdRatio * fleet.kvmMaxVcpus;
  return (group.maxVcpuId ?? group.maxVcpus - 1) + 1;
}

/** Gives what kvm.max_vcpus would have to be, as it has to fit the largest VM. */
export function moduleParameter(fleet: Fleet): number {
  return Math.max(...fleet.groups.map((group) => maxVcpusOf(group, fleet)));
}

/** Counts the ids that no vCPU of the group can have, and for which a table by id has room. */
export function idGaps(group: VmGroup, fleet: Fleet): number {
  return group.maxVcpuId === undefined ? 0 : maxVcpuIdsOf(group, fleet) - maxVcpusOf(group, fleet);
}
