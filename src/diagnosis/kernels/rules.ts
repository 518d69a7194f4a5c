/** The rules of a kernel record that are no checks, in words: what a call does, not whether it is refused. */
import { hasMaxVcpusCap, type KernelAbi } from '../../abi/kvm/kernels/record.ts';

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
    answer: (abi) =>
      hasMaxVcpusCap(abi) ? `sets it, up to ${least(abi.maxVcpus.capabilityTakes)}` : 'not there',
  },
  {
    id: 'vcpus.inInitVm',
    question: 'max_vcpus in KVM_TDX_INIT_VM',
    answer: ({ maxVcpus: { inInitVm } }) => (inInitVm ? 'sets it' : 'no such field'),
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
    id: 'initVm.doneWhen',
    question: 'KVM_TDX_INIT_VM counts as done when',
    answer: ({ initVm }) =>
      initVm.doneWhen === 'state' ? 'the state of the TD says so' : initVm.doneWhen,
  },
  {
    id: 'initVm.struct',
    question: 'struct kvm_tdx_init_vm',
    answer: ({ initVm }) =>
      initVm.struct === 'sized by nent' ? 'sized by cpuid.nent' : '16384 bytes',
  },
  {
    id: 'keySlot.takenAt',
    question: 'key slot taken at',
    answer: ({ keyId }) => keyId.takenAt,
  },
  {
    id: 'memory.attributesOf',
    question: 'private and shared pages told apart by',
    answer: ({ memory }) => memory.attributesOf,
  },
  {
    id: 'memory.pamt',
    question: 'metadata of pages (PAMT)',
    answer: ({ memory }) => memory.pamt,
  },
  {
    id: 'move',
    question: 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM',
    answer: ({ move }) => (move === undefined ? 'moves nothing' : protocols[move.protocol]),
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
    id: 'cgroup.refusedCharge',
    question: 'refused charge of the misc cgroup',
    answer: ({ quirks }) =>
      quirks.unchargesFailedCharge ? 'usage ends one too low (defect)' : 'usage unchanged',
  },
];

type Move = NonNullable<KernelAbi['move']>;

const protocols: Readonly<Record<Move['protocol'], string>> = {
  'rfc-v1': 'as in RFC v1 (2023): nothing is moved before all checks',
  'rfc-v2':
    'as in RFC v2 (2025): the source is dead once the memory slots matched, before TDX checks anything',
};
