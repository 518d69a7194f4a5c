/** The book, whole: the rows of every request in the order of Linux 7.3, and those that only others have. */
import { type Check, type Checks, errnosOf } from './check.ts';
import { fileChecks } from './common.ts';
import { createVcpuChecks, createVmChecks, otherCreateVcpuChecks } from './create.ts';
import { anyCapChecks, enableCapChecks, otherMaxVcpusChecks } from './enable-cap.ts';
import { initVmChecks, otherInitVmChecks } from './init-vm.ts';
import {
  clearDirtyLogChecks,
  createGuestMemfdChecks,
  getDirtyLogChecks,
  linkGuestMemfdChecks,
  memoryAttributesChecks,
  otherLinkGuestMemfdChecks,
  preFaultMemoryChecks,
} from './memory.ts';
import { memoryRegion2Checks, memoryRegionChecks } from './memory-region.ts';
import { moveChecks, moveV1Checks } from './move.ts';
import { unknownVcpuCommandChecks, unknownVmCommandChecks } from './tdx-command.ts';
import {
  getCpuidChecks,
  initMemRegionChecks,
  initVcpuChecks,
  otherInitMemRegionChecks,
  otherInitVcpuChecks,
} from './tdx-vcpu.ts';
import {
  capabilitiesChecks,
  finalizeVmChecks,
  otherFinalizeVmChecks,
  terminateVmChecks,
} from './tdx-vm.ts';
import {
  createDeviceChecks,
  encryptRegionChecks,
  getClockChecks,
  getStatsFdChecks,
  getTscKhzChecks,
  getVcpuStatsFdChecks,
  getVcpuTscKhzChecks,
  kvmclockCtrlChecks,
  setBootCpuIdChecks,
  setClockChecks,
  setIdentityMapAddrChecks,
  setNrMmuPagesChecks,
  setTscKhzChecks,
  setTssAddrChecks,
  setVcpuTscKhzChecks,
} from './vm.ts';

export { type Check, type Checks, errnosOf };

type ByCapability<Table> = {
  readonly [Cap in keyof Table & string as `KVM_ENABLE_CAP(${Cap})`]: Table[Cap];
};

function byCapability<Table extends Readonly<Record<string, Checks>>>(table: Table) {
  const entries = Object.entries(table);
  return Object.fromEntries(
    entries.map(([capability, checks]) => [`KVM_ENABLE_CAP(${capability})`, checks]),
  ) as ByCapability<Table>;
}

/** Requests by what they are asked on. One that two kinds of file take has a row for each. */
const requests = {
  '/dev/kvm': {
    KVM_CREATE_VM: createVmChecks,
  },
  'the VM': {
    KVM_CREATE_VCPU: createVcpuChecks,
    KVM_ENABLE_CAP: anyCapChecks,
    ...byCapability(enableCapChecks),
    KVM_MEMORY_ENCRYPT_OP: unknownVmCommandChecks,
    KVM_TDX_CAPABILITIES: capabilitiesChecks,
    KVM_TDX_INIT_VM: initVmChecks,
    KVM_TDX_FINALIZE_VM: finalizeVmChecks,
    KVM_TDX_TERMINATE_VM: unknownVmCommandChecks,
    KVM_SET_USER_MEMORY_REGION: memoryRegionChecks,
    KVM_SET_USER_MEMORY_REGION2: memoryRegion2Checks,
    KVM_CREATE_GUEST_MEMFD: createGuestMemfdChecks,
    KVM_LINK_GUEST_MEMFD: linkGuestMemfdChecks,
    KVM_SET_MEMORY_ATTRIBUTES: memoryAttributesChecks,
    KVM_GET_DIRTY_LOG: getDirtyLogChecks,
    KVM_CLEAR_DIRTY_LOG: clearDirtyLogChecks,
    KVM_SET_BOOT_CPU_ID: setBootCpuIdChecks,
    KVM_MEMORY_ENCRYPT_REG_REGION: encryptRegionChecks,
    KVM_MEMORY_ENCRYPT_UNREG_REGION: encryptRegionChecks,
    KVM_CREATE_DEVICE: createDeviceChecks,
    KVM_SET_TSS_ADDR: setTssAddrChecks,
    KVM_SET_IDENTITY_MAP_ADDR: setIdentityMapAddrChecks,
    KVM_SET_NR_MMU_PAGES: setNrMmuPagesChecks,
    KVM_GET_CLOCK: getClockChecks,
    KVM_SET_CLOCK: setClockChecks,
    KVM_SET_TSC_KHZ: setTscKhzChecks,
    KVM_GET_TSC_KHZ: getTscKhzChecks,
    KVM_GET_STATS_FD: getStatsFdChecks,
  },
  'a vCPU': {
    'KVM_MEMORY_ENCRYPT_OP on a vCPU': unknownVcpuCommandChecks,
    KVM_TDX_INIT_VCPU: initVcpuChecks,
    KVM_TDX_INIT_MEM_REGION: initMemRegionChecks,
    KVM_TDX_GET_CPUID: getCpuidChecks,
    KVM_PRE_FAULT_MEMORY: preFaultMemoryChecks,
    KVM_KVMCLOCK_CTRL: kvmclockCtrlChecks,
    'KVM_SET_TSC_KHZ on a vCPU': setVcpuTscKhzChecks,
    'KVM_GET_TSC_KHZ on a vCPU': getVcpuTscKhzChecks,
    'KVM_GET_STATS_FD on a vCPU': getVcpuStatsFdChecks,
  },
} as const;

/** Rows that Linux 7.3 does not have. */
const otherChecks = {
  KVM_CREATE_VCPU: otherCreateVcpuChecks,
  'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)': otherMaxVcpusChecks,
  'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': { ...moveChecks, ...moveV1Checks },
  KVM_LINK_GUEST_MEMFD: otherLinkGuestMemfdChecks,
  KVM_TDX_INIT_VM: otherInitVmChecks,
  KVM_TDX_FINALIZE_VM: otherFinalizeVmChecks,
  KVM_TDX_TERMINATE_VM: terminateVmChecks,
  KVM_TDX_INIT_VCPU: otherInitVcpuChecks,
  KVM_TDX_INIT_MEM_REGION: otherInitMemRegionChecks,
} as const;

export type AskedOn = keyof typeof requests;

const requestChecks = { ...requests['/dev/kvm'], ...requests['the VM'], ...requests['a vCPU'] };

/** The kernel's name of a request; for KVM_ENABLE_CAP with the capability. */
export type CheckedRequest = keyof typeof requestChecks;

type NamesIn<Tables> = Tables extends Checks<infer Name> ? Name : never;
type Values<Table> = Table[keyof Table];

export type CheckName =
  | NamesIn<Values<typeof requestChecks>>
  | NamesIn<Values<typeof otherChecks>>
  | keyof typeof fileChecks;

/** The checks of one request by one kernel, in its order. */
export type CheckOrder = readonly CheckName[];

/** The checks of one kernel: the order of every request. */
export type KernelChecks = Readonly<Record<CheckedRequest, CheckOrder>>;

export const checkedRequests = Object.keys(requestChecks) as readonly CheckedRequest[];

/** Every row by its name. */
export const book: Readonly<Record<CheckName, Check>> = Object.assign(
  {},
  fileChecks,
  ...Object.values(requestChecks),
  ...Object.values(otherChecks),
);

export const linux73Checks = Object.fromEntries(
  checkedRequests.map((request) => [request, Object.keys(requestChecks[request])]),
) as unknown as KernelChecks;

export function askedOn(request: CheckedRequest): AskedOn {
  const kinds = Object.keys(requests) as AskedOn[];
  const on = kinds.find((kind) => request in requests[kind]);
  if (on === undefined) throw new Error(`${request} is asked on nothing`);
  return on;
}

export function isCheckedRequest(name: string): name is CheckedRequest {
  return Object.hasOwn(requestChecks, name);
}

export function isCheckName(name: string): name is CheckName {
  return Object.hasOwn(book, name);
}

/** Rows that a kernel may have for a request: those of Linux 7.3, then those of others. */
export function rowsOf(request: CheckedRequest): readonly CheckName[] {
  const others: Readonly<Partial<Record<CheckedRequest, Checks>>> = otherChecks;
  return [...linux73Checks[request], ...(Object.keys(others[request] ?? {}) as CheckName[])];
}
