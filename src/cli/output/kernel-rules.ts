// @ts-nocheck INTERIM
/** The rules of a kernel record in words: one row for each question that kernels answer differently. */
import type { KernelAbi } from '../../simulator/index.ts';

export interface KernelRule {
  /** Names the rule in data. */
  readonly id: string;
  readonly question: string;
  readonly answer: (abi: KernelAbi) => string;
}

const least = (bounds: readonly string[]) =>
  bounds.length < 2 ? (bounds[0] ?? '0') : `min(${bounds.join(', ')})`;

export const kernelRules: readonly KernelRule[] = [
  {
    id: 'vcpus.atCreateVm',
    question: 'vCPU limit of a new TD',
    answer: ({ maxVcpus: { atCreateVm } }) =>
      atCreateVm.length === 0 ? '0, until another call sets it' : least(atCreateVm),
  },
  {
    id: 'vcpus.capability',
    question: 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)',
    answer: ({ maxVcpus: { capability: cap } }) =>
      cap === undefined
        ? 'EINVAL: not there'
        : [
            `sets it, on ${cap.vms}`,
            `0 ${cap.zero}`,
            `above ${cap.limits.join(' or ')} ${cap.tooMany}`,
            `with a vCPU ${cap.vcpusExist}`,
          ].join('; '),
  },
  {
    id: 'vcpus.inInitVm',
    question: 'max_vcpus in KVM_TDX_INIT_VM',
    answer: ({ maxVcpus: { inInitVm } }) => maxVcpusInInitVm[inInitVm],
  },
  {
    id: 'vcpus.checkExtension',
    question: 'KVM_CHECK_EXTENSION on a TD',
    answer: ({ maxVcpus: { checkExtensionOfTd } }) => least(checkExtensionOfTd),
  },
  {
    id: 'vcpus.moduleBelowCpus',
    question: 'module takes fewer vCPUs than CPUs present',
    answer: ({ bringUp }) =>
      bringUp.limitBelowPresentCpus === 'no KVM'
        ? 'kvm_intel does not load'
        : 'KVM does not look: the module refuses INIT_VM',
  },
  {
    id: 'vcpus.moduleWithoutLimit',
    question: 'module without max_vcpus_per_td',
    answer: ({ bringUp }) => (bringUp.limitMissing === 'no TDX' ? 'no TDs' : 'counts as 0xffff'),
  },
  {
    id: 'createVcpu.states',
    question: 'KVM_CREATE_VCPU in TD state',
    answer: ({ createVcpu }) => `${createVcpu.when.join(', ')}; else EIO`,
  },
  {
    id: 'createVcpu.order',
    question: 'KVM_CREATE_VCPU checks in order',
    answer: ({ createVcpu }) => createVcpu.checks.join(', '),
  },
  {
    id: 'initVcpu.states',
    question: 'KVM_TDX_INIT_VCPU, TD not INITIALIZED',
    answer: ({ initVcpuWhen }) =>
      initVcpuWhen.includes('UNINITIALIZED')
        ? 'no key slot or RUNNABLE: EINVAL'
        : 'no key slot or RUNNABLE: EINVAL; then EIO',
  },
  {
    id: 'initVm.vcpusExist',
    question: 'KVM_TDX_INIT_VM when vCPUs exist',
    answer: ({ initVm }) => (initVm.vcpusExist === 'EBUSY' ? 'EBUSY' : 'accepted'),
  },
  {
    id: 'initVm.struct',
    question: 'struct kvm_tdx_init_vm',
    answer: ({ initVm }) =>
      initVm.struct === 'sized by nent'
        ? 'sized by cpuid.nent; more than 256 entries E2BIG'
        : '16384 bytes; more entries than fit EINVAL',
  },
  {
    id: 'initVm.otherCpuid',
    question: 'KVM_TDX_INIT_VM with CPUID of a leaf that is not configurable',
    answer: ({ initVm }) => initVm.otherCpuid,
  },
  {
    id: 'initVm.mngCreateRefused',
    question: 'TDH.MNG.CREATE refused',
    answer: ({ initVm }) =>
      initVm.mngCreateRefused === 'warns' ? 'EIO, may be tried again' : 'EIO, VM bugged',
  },
  {
    id: 'keySlot.takenAt',
    question: 'key slot taken at',
    answer: ({ keyId }) => `${keyId.takenAt}; none left ${keyId.poolEmpty}`,
  },
  {
    id: 'dispatch.vcpu',
    question: 'TDX command on a vCPU fd',
    answer: ({ tdxDispatch }) =>
      `${tdxDispatch.vcpuChecks.join(', ')}${tdxDispatch.vcpuSecondStage ? '; GET_CPUID again in a second stage' : ''}`,
  },
  {
    id: 'dispatch.vm',
    question: 'TDX command on a VM fd',
    answer: ({ tdxDispatch }) =>
      tdxDispatch.vmCommandsLockVcpus
        ? 'locks every vCPU; a fatal signal EINTR'
        : 'takes kvm->lock only',
  },
  {
    id: 'capabilities.order',
    question: 'KVM_TDX_CAPABILITIES checks in order',
    answer: ({ tdxDispatch }) =>
      `${tdxDispatch.capabilitiesChecks.join(', ')}; command ${tdxDispatch.capabilitiesWrittenBack ? 'written back' : 'not written back'}`,
  },
  {
    id: 'initMemRegion.busy',
    question: 'KVM_TDX_INIT_MEM_REGION, operand busy',
    answer: ({ initMemRegion }) => initMemRegion.operandBusy,
  },
  {
    id: 'initMemRegion.sourceZero',
    question: 'KVM_TDX_INIT_MEM_REGION, source address 0',
    answer: ({ initMemRegion }) => initMemRegion.sourceAddressZero,
  },
  {
    id: 'finalize.premapped',
    question: 'KVM_TDX_FINALIZE_VM with a page mapped, not added',
    answer: ({ finalizeCountsPremapped }) => (finalizeCountsPremapped ? 'EINVAL' : 'not counted'),
  },
  {
    id: 'run.mapGpa',
    question: 'answers to a MapGPA exit',
    answer: ({ mapGpaResults }) =>
      mapGpaResults === 'any' ? 'any' : `${mapGpaResults}; else KVM_RUN EINVAL`,
  },
  {
    id: 'guestMemfd',
    question: 'guest_memfd in a slot of another VM',
    answer: ({ guestMemfd }) => {
      if (guestMemfd.bindsTo === 'any VM') return 'accepted: private memory is a file of no VM';
      return guestMemfd.link ? 'EINVAL; KVM_LINK_GUEST_MEMFD makes one' : 'EINVAL';
    },
  },
  {
    id: 'move',
    question: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
    answer: ({ move }) =>
      move === undefined ? 'EINVAL, the fd is not looked at' : `as in ${protocols[move.protocol]}`,
  },
  {
    id: 'move.pointOfNoReturn',
    question: '  source is dead from',
    answer: ({ move }) => (move === undefined ? '-' : pointOfNoReturn[move.protocol]),
  },
  {
    id: 'move.vcpuCounts',
    question: '  vCPU counts differ',
    answer: ({ move }) => (move === undefined ? '-' : vcpuCounts[move.vcpuCountsDiffer]),
  },
  {
    id: 'move.memslots',
    question: '  memory slots differ',
    answer: ({ move }) => {
      if (move === undefined) return '-';
      return move.memslots === 'must match' ? 'EINVAL' : 'EINVAL only when their number does';
    },
  },
  {
    id: 'move.charge',
    question: "  charge of the source's cgroup",
    answer: ({ move }) => move?.sourceCharge ?? '-',
  },
  {
    id: 'move.attributes',
    question: '  memory attributes of the destination',
    answer: ({ move }) => {
      if (move === undefined) return '-';
      return move.losesMemoryAttributes ? 'lost by a second move' : "the source's";
    },
  },
  {
    id: 'terminateVm',
    question: 'KVM_TDX_TERMINATE_VM',
    answer: ({ tdxCommands }) =>
      tdxCommands.includes('KVM_TDX_TERMINATE_VM') ? 'frees the key slot' : 'EINVAL: not there',
  },
  {
    id: 'cgroup.refusedCharge',
    question: 'refused charge of the misc cgroup',
    answer: ({ quirks }) =>
      quirks.unchargesFailedCharge ? 'usage ends one too low (defect)' : 'usage unchanged',
  },
];

const maxVcpusInInitVm: Readonly<Record<KernelAbi['maxVcpus']['inInitVm'], string>> = {
  'no field': 'no such field',
  'sets the limit': 'sets it; above KVM_MAX_VCPUS EINVAL',
  'must match': 'must be what the capability set, else EINVAL',
  'covers the vCPUs': 'sets it; EINVAL when more vCPUs exist',
};

type Move = NonNullable<KernelAbi['move']>;

const protocols: Readonly<Record<Move['protocol'], string>> = {
  'rfc-v1': 'RFC v1 (2023)',
  'rfc-v2': 'RFC v2 (2025)',
};

const pointOfNoReturn: Readonly<Record<Move['protocol'], string>> = {
  'rfc-v1': 'the first thing moved, after all checks',
  'rfc-v2': 'the memory slots matched, before TDX checks anything',
};

const vcpuCounts: Readonly<Record<Move['vcpuCountsDiffer'], string>> = {
  EINVAL: 'EINVAL',
  'moves on': 'success, and vCPUs are lost (posted defect)',
  unchecked: 'not checked; fewer at the destination is an oops',
};
