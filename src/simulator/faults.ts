/**
 * Where a call can be made to fail though its arguments and state are right: no memory, no file
 * descriptor, a lock that a fatal signal interrupts, a SEAMCALL that answers something else. The
 * model asks here at each such step; without an injector nothing fails.
 */
import type { ErrnoName } from '../abi/kvm/errno.ts';
import type { SeamcallName } from '../abi/tdx/seamcalls.ts';
import type { Request } from './interface.ts';

/** Steps of the kernel whose failure the model cannot cause by itself: `request: what`. */
export const faultPoints = [
  'KVM_CREATE_VM: allocate',
  'KVM_CREATE_VM: install the fd',
  'KVM_GET_SUPPORTED_CPUID: allocate',
  'KVM_CREATE_VCPU: allocate',
  'KVM_CREATE_VCPU: install the fd',
  'KVM_CREATE_GUEST_MEMFD: allocate',
  'KVM_CREATE_GUEST_MEMFD: install the fd',
  'KVM_CREATE_IRQCHIP: allocate',
  'KVM_ENABLE_CAP: allocate',
  'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs',
  'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate',
  'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: set the APIC state of a vCPU',
  'KVM_LINK_GUEST_MEMFD: install the fd',
  'KVM_SET_USER_MEMORY_REGION: allocate',
  'KVM_SET_MEMORY_ATTRIBUTES: allocate',
  'KVM_SET_MEMORY_ATTRIBUTES2: allocate',
  'KVM_SET_MEMORY_ATTRIBUTES2: find a page in use',
  'KVM_SET_CPUID2: allocate',
  'KVM_GET_MSRS: allocate',
  'KVM_GET_STATS_FD: install the fd',
  'KVM_CREATE_DEVICE: allocate',
  'KVM_CREATE_DEVICE: install the fd',
  'fallocate: allocate',
  'KVM_CREATE_PIT: allocate',
  'KVM_IRQFD: allocate',
  'KVM_IOEVENTFD: allocate',
  'KVM_SET_GSI_ROUTING: allocate',
  'KVM_REGISTER_COALESCED_MMIO: allocate',
  'KVM_X86_SET_MSR_FILTER: allocate',
  'KVM_SET_PMU_EVENT_FILTER: allocate',
  'KVM_TDX_CAPABILITIES: allocate',
  'KVM_TDX_INIT_VM: copy the struct',
  'KVM_TDX_INIT_VM: allocate TD_PARAMS',
  'KVM_TDX_INIT_VM: allocate TDR and TDCS',
  'KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX',
  'KVM_TDX_INIT_MEM_REGION: get the source page',
  'KVM_TDX_INIT_MEM_REGION: get the guest_memfd page',
  'KVM_TDX_INIT_MEM_REGION: allocate for dynamic PAMT',
  'KVM_TDX_GET_CPUID: allocate',
] as const;

export type FaultPoint = (typeof faultPoints)[number];

export interface FaultInjector {
  /**
   * Asked as an ioctl begins, before anything is looked at. It may change the machine; an errno ends
   * the call. A dead VM answers EIO all the same.
   */
  beforeIoctl?(request: Request['request'], machine: DisturbedMachine): ErrnoName | undefined;
  /** The errno that the step ends with; undefined lets it succeed. */
  errnoAt?(point: FaultPoint): ErrnoName | undefined;
  /** The status that the leaf answers without doing anything; undefined lets it run. */
  statusOf?(leaf: SeamcallName, logicalCpu: number): bigint | undefined;
  /** Whether `statusOf` must be asked at each call of the leaf. Without this it must, of every leaf. */
  counts?(leaf: SeamcallName): boolean;
  /** Asked before each page of KVM_TDX_INIT_MEM_REGION, besides the caller's own signals. */
  signalBeforePage?(page: number): boolean;
}

/** What others do to a machine while one process uses it. */
export interface DisturbedMachine {
  /**
   * All CPUs of the last package go offline, or come back. As on a real host, offline is refused
   * while any key slot is in use (tdx_offline_cpu: EBUSY). False: refused.
   */
  setLastPackageOnline(online: boolean): boolean;
  /**
   * TDs of other processes take key slots, or (negative) give some back. As many as there are.
   * Answers how many that was.
   */
  changeForeignTds(change: number): number;
  /** misc.max of a cgroup, for the resource `tdx`. */
  setCgroupMax(options: { readonly path: string; readonly max: number }): void;
}

export const noFaults: FaultInjector = {};
