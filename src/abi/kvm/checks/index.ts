/** The book, whole: the rows of every request in the order of Linux 7.3, and those that only others have. */
import { type Check, type Checks, errnosOf } from './check.ts';
import { fileChecks, unknownChecks, unknownOnVmChecks, vmChecks } from './common.ts';
import { cpuidListChecks, vcpuCpuidChecks } from './cpuid.ts';
import { createVcpuChecks, createVmChecks, otherCreateVcpuChecks } from './create.ts';
import { anyCapChecks, enableCapChecks, otherMaxVcpusChecks } from './enable-cap.ts';
import { eventfdChecks } from './eventfds.ts';
import { deviceChecks, guestMemfdChecks } from './files.ts';
import { initVmChecks, otherInitVmChecks } from './init-vm.ts';
import { injectChecks, interruptChecks, irqchipChecks } from './interrupts.ts';
import { memoryChecks, otherLinkGuestMemfdChecks, preFaultChecks } from './memory.ts';
import { memoryRegionChecks } from './memory-region.ts';
import { moveChecks, moveV1Checks } from './move.ts';
import { getMsrsChecks, msrIndexListChecks, setMsrFilterChecks, vcpuMsrsChecks } from './msrs.ts';
import { runChecks } from './run.ts';
import { deviceAttrChecks, plainQuestionChecks, vcpuDeviceAttrChecks } from './system.ts';
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
import { mceCapSupportedChecks, smallVcpuChecks } from './vcpu.ts';
import { vcpuStateChecks } from './vcpu-state.ts';
import { vcpuSettingChecks, vmSettingChecks } from './vm.ts';

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
    KVM_GET_API_VERSION: plainQuestionChecks,
    'KVM_CHECK_EXTENSION on /dev/kvm': {},
    KVM_GET_VCPU_MMAP_SIZE: plainQuestionChecks,
    ...cpuidListChecks,
    KVM_X86_GET_MCE_CAP_SUPPORTED: mceCapSupportedChecks,
    KVM_GET_MSR_INDEX_LIST: msrIndexListChecks,
    KVM_GET_MSR_FEATURE_INDEX_LIST: msrIndexListChecks,
    'KVM_GET_MSRS on /dev/kvm': getMsrsChecks,
    ...deviceAttrChecks,
    KVM_CREATE_VM: createVmChecks,
  },
  'the VM': {
    KVM_CHECK_EXTENSION: vmChecks,
    KVM_CREATE_VCPU: createVcpuChecks,
    KVM_ENABLE_CAP: anyCapChecks,
    ...byCapability(enableCapChecks),
    ...irqchipChecks,
    ...interruptChecks,
    ...eventfdChecks,
    KVM_X86_SET_MSR_FILTER: setMsrFilterChecks,
    KVM_MEMORY_ENCRYPT_OP: unknownVmCommandChecks,
    KVM_TDX_CAPABILITIES: capabilitiesChecks,
    KVM_TDX_INIT_VM: initVmChecks,
    KVM_TDX_FINALIZE_VM: finalizeVmChecks,
    KVM_TDX_TERMINATE_VM: unknownVmCommandChecks,
    ...memoryRegionChecks,
    ...memoryChecks,
    ...vmSettingChecks,
  },
  'a vCPU': {
    'KVM_MEMORY_ENCRYPT_OP on a vCPU': unknownVcpuCommandChecks,
    KVM_TDX_INIT_VCPU: initVcpuChecks,
    KVM_TDX_INIT_MEM_REGION: initMemRegionChecks,
    KVM_TDX_GET_CPUID: getCpuidChecks,
    KVM_RUN: runChecks,
    ...vcpuCpuidChecks,
    ...vcpuStateChecks,
    ...smallVcpuChecks,
    ...preFaultChecks,
    ...vcpuSettingChecks,
    ...injectChecks,
    ...vcpuMsrsChecks,
    ...vcpuDeviceAttrChecks,
  },
  'a guest_memfd': guestMemfdChecks,
  'a device': deviceChecks,
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

/** What becomes of a request that a file does not take. */
const notTakenChecks = { ...fileChecks, ...unknownChecks, ...unknownOnVmChecks };

export type AskedOn = keyof typeof requests;

const requestChecks = {
  ...requests['/dev/kvm'],
  ...requests['the VM'],
  ...requests['a vCPU'],
  ...requests['a guest_memfd'],
  ...requests['a device'],
};

/** The kernel's name of a request; for KVM_ENABLE_CAP with the capability. */
export type CheckedRequest = keyof typeof requestChecks;

type NamesIn<Tables> = Tables extends Checks<infer Name> ? Name : never;
type Values<Table> = Table[keyof Table];

export type CheckName =
  | NamesIn<Values<typeof requestChecks>>
  | NamesIn<Values<typeof otherChecks>>
  | keyof typeof notTakenChecks;

/** The checks of one request by one kernel, in its order. */
export type CheckOrder = readonly CheckName[];

/** The checks of one kernel: the order of every request. */
export type KernelChecks = Readonly<Record<CheckedRequest, CheckOrder>>;

export const checkedRequests = Object.keys(requestChecks) as readonly CheckedRequest[];

/** Every row by its name. */
export const book: Readonly<Record<CheckName, Check>> = Object.assign(
  {},
  notTakenChecks,
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
