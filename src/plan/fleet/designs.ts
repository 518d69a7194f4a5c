/**
 * Holds every way to store what grows with the number of vCPUs, side by side: those that the seed
 * threads argue about and what became of them. Each design has a row; bytes are of one VM.
 */
import { pidTableBytes } from '../../abi/kvm/pid-table.ts';
import { type ModuleRelease, moduleReleases } from '../../abi/tdx/module-releases.ts';
import {
  createdVcpus,
  type Fleet,
  maxVcpuIdsOf,
  maxVcpusOf,
  moduleParameter,
  type VmGroup,
  vcpuIdRatio,
} from './fleet.ts';

export interface Design {
  /** The id is stable, for data. */
  readonly id: string;
  readonly title: string;
  /** The kernel or the thread that it comes from. */
  readonly source: string;
  /** The part of the formula that was not read in a source; undefined where all was. */
  readonly estimate?: string;
  /** The function gives undefined where a VM of this type has no such thing. */
  readonly bytes: (group: VmGroup, fleet: Fleet) => number | undefined;
}

export interface DesignTable {
  readonly id: 'vcpuArray' | 'pidTable' | 'limit' | 'controlPages';
  readonly title: string;
  readonly designs: readonly Design[];
}

/** A pointer of x86-64. */
const POINTER_BYTES = 8;
const PAGE_BYTES = 4096;

/** The size of struct list_head. */
const LIST_NODE_BYTES = 16;

/** struct xa_node has 24 bytes of header and list, 64 slots and 3 tag words. */
const XARRAY_BYTES = 16;
const XA_NODE_BYTES = 576;
const XA_CHUNK_SIZE = 64;

/** These are ways in which `kvm->vcpus` finds a vCPU by its index. */
const vcpuArray: readonly Design[] = [
  {
    id: 'static-array',
    title: 'array in struct kvm',
    source: 'Linux up to 5.16: struct kvm_vcpu *vcpus[KVM_MAX_VCPUS]',
    bytes: (_, { kvmMaxVcpus }) => POINTER_BYTES * kvmMaxVcpus,
  },
  {
    id: 'sized-at-creation',
    title: 'array sized at creation (KVM_CREATE_VM2)',
    source: 'the first of three options in "[PATCH RFC 0/2] KVM: use RCU ...", 2017',
    estimate: 'one pointer for each vCPU asked for; the series itself was not read',
    bytes: (group, fleet) => POINTER_BYTES * maxVcpusOf(group, fleet),
  },
  {
    id: 'resized-on-demand',
    title: 'array resized on demand (RCU)',
    source: 'the second option of the same thread, which its series implements',
    estimate: 'one pointer for each vCPU created; up to twice that until a grace period ends',
    bytes: (group, fleet) => POINTER_BYTES * createdVcpus(group, fleet),
  },
  {
    id: 'list',
    title: 'list',
    source: 'the third option of the same thread, never posted; kvm_get_vcpu() would be linear',
    estimate: 'two pointers in each vCPU created',
    bytes: (group, fleet) => LIST_NODE_BYTES * createdVcpus(group, fleet),
  },
  {
    id: 'tree',
    title: 'sequentially growing tree',
    source: 'the third option of the same thread, never posted',
    estimate: 'arrays of 1, 2, 4, ... pointers until all vCPUs created have one',
    bytes: (group, fleet) => POINTER_BYTES * growingTreeSlots(createdVcpus(group, fleet)),
  },
  {
    id: 'xarray',
    title: 'xarray',
    source: 'Linux 5.17 and later, commit c5b077549136',
    estimate: 'struct sizes of an x86-64 build; what the slab allocator adds is not counted',
    bytes: (group, fleet) => xarrayBytes(createdVcpus(group, fleet)),
  },
];

/** Gives the smallest 1 + 2 + 4 + ... that holds them. */
function growingTreeSlots(vcpus: number): number {
  return 2 ** Math.ceil(Math.log2(vcpus + 1)) - 1;
}

/**
 * Indexes are dense from 0 (kvm_vm_ioctl_create_vcpu takes the number of vCPUs created so far), so
 * each level has a node for every 64 of the level below. An entry at index 0 alone needs no node.
 */
export function xarrayBytes(vcpus: number): number {
  let nodes = 0;
  for (let entries = vcpus; entries > 1; ) {
    entries = Math.ceil(entries / XA_CHUNK_SIZE);
    nodes += entries;
  }
  return XARRAY_BYTES + XA_NODE_BYTES * nodes;
}

const NOT_FOR_TDS = undefined;

/**
 * The table is allocated at the first KVM_CREATE_VCPU, on CPUs with IPI virtualisation:
 * vmx_alloc_ipiv_pid_table() in arch/x86/kvm/vmx/vmx.c.
 */
const pidTable: readonly Design[] = [
  {
    id: 'full',
    title: 'full: KVM_MAX_VCPU_IDS',
    source: 'Linux 7.3 unless user space lowers it: vmx_get_pid_table_order',
    bytes: ({ type }, { kvmMaxVcpus }) =>
      type === 'td' ? NOT_FOR_TDS : pidTableBytes(vcpuIdRatio * kvmMaxVcpus),
  },
  {
    id: 'module-parameter',
    title: 'by kvm.max_vcpus for all VMs',
    source: '"[PATCH v3 4/4] x86/kvm: add boot parameter ...", 2021, not merged',
    estimate: 'KVM_VCPU_ID_RATIO ids for each vCPU of the parameter, as with KVM_MAX_VCPUS',
    bytes: ({ type }, fleet) =>
      type === 'td' ? NOT_FOR_TDS : pidTableBytes(vcpuIdRatio * moduleParameter(fleet)),
  },
  {
    id: 'per-vm-cap',
    title: 'by KVM_CAP_MAX_VCPU_ID for each VM',
    source: 'Linux 7.3; what came of "[PATCH v5 8/8] KVM: VMX: Resize PID-ponter table ...", 2022',
    bytes: (group, fleet) =>
      group.type === 'td' ? NOT_FOR_TDS : pidTableBytes(maxVcpuIdsOf(group, fleet)),
  },
];

/** The seed thread of 2021 argues who sets the limit; an array is sized by it. */
const limit: readonly Design[] = [
  {
    id: 'compiled-in',
    title: 'KVM_MAX_VCPUS, compiled in',
    source: 'Linux up to 5.16',
    bytes: (group, fleet) => sizedBy(group, { limit: fleet.kvmMaxVcpus }),
  },
  {
    id: 'module-parameter',
    title: 'kvm.max_vcpus, one for the host',
    source: '"[PATCH v3 4/4] x86/kvm: add boot parameter ...", 2021, not merged',
    estimate: 'array and PID-pointer table grow with it; what else the series sizes was not read',
    bytes: (group, fleet) => sizedBy(group, { limit: moduleParameter(fleet) }),
  },
  {
    id: 'per-vm-cap',
    title: 'a capability, one for each VM',
    source: 'the answer to it: "wire up a way for userspace to _lower_ the max on a per-VM basis"',
    estimate: 'as above; the table by KVM_CAP_MAX_VCPU_ID',
    bytes: (group, fleet) =>
      sizedBy(group, { limit: maxVcpusOf(group, fleet), ids: maxVcpuIdsOf(group, fleet) }),
  },
];

/** A TD has no PID-pointer table. */
function sizedBy(
  { type }: VmGroup,
  { limit: vcpus, ids = vcpuIdRatio * vcpus }: { readonly limit: number; readonly ids?: number },
): number {
  return POINTER_BYTES * vcpus + (type === 'td' ? 0 : pidTableBytes(ids));
}

/** Only the page counts matter here of what is not confirmed of a release. */
function aboutPages(unconfirmed: string | undefined): Pick<Design, 'estimate'> {
  const estimate = unconfirmed?.split('; ').find((clause) => clause.includes('pages'));
  return estimate === undefined ? {} : { estimate };
}

/** A TD has a TDR and TDCX pages, each vCPU that is created a TDVPR and TDCX pages. */
const controlPages: readonly Design[] = Object.entries(moduleReleases).map(
  ([release, { tdcxPages, tdvpsPages, unconfirmed }]: [string, ModuleRelease]) => ({
    id: release,
    title: `TDX module ${release}`,
    source: `${1 + tdcxPages.base} pages a TD, ${tdvpsPages.base} a vCPU`,
    ...aboutPages(unconfirmed),
    bytes: (group: VmGroup, fleet: Fleet) =>
      group.type === 'plain'
        ? undefined
        : PAGE_BYTES * (1 + tdcxPages.base + tdvpsPages.base * createdVcpus(group, fleet)),
  }),
);

export const designTables: readonly DesignTable[] = [
  { id: 'vcpuArray', title: 'kvm->vcpus', designs: vcpuArray },
  { id: 'pidTable', title: 'PID-pointer table (plain VMs; a TD has none)', designs: pidTable },
  {
    id: 'limit',
    title: 'Who sets the limit: array and PID-pointer table together',
    designs: limit,
  },
  { id: 'controlPages', title: 'TDX control pages (TDs)', designs: controlPages },
];
