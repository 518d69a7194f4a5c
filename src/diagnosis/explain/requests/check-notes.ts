/** What experience adds to a row of the book: what usually leads to it, and how `tdctl run` ends by it. */
import { book, type Check, type CheckName } from '../../../abi/kvm/checks/index.ts';
import type { RefusalAnswer } from './request.ts';

type Note = Partial<Pick<RefusalAnswer, 'code' | 'causes' | 'rank'>>;

const vcpuLimit = { code: 'TDCTL_E_VCPU_LIMIT' } as const;
const hostUnsupported = { code: 'TDCTL_E_HOST_UNSUPPORTED' } as const;

const noKeySlot: Note = {
  code: 'TDCTL_E_NO_KEY_SLOT',
  causes: [
    'as many TDs run as the BIOS key split allows; the module keeps the first key of the range',
    'a TD that was stopped is still being torn down, which takes minutes for a big one',
    'a process still holds a descriptor of a stopped TD (VM, vCPU or guest_memfd)',
    'slots were leaked: "HKID N is leaked" in the kernel log; only a reboot gives them back',
  ],
};

/** The VMM for another kernel writes something else where this one has max_vcpus. */
const maxVcpusField: Note = {
  ...vcpuLimit,
  causes: ['the VMM is built for a kernel whose struct kvm_tdx_init_vm has no field max_vcpus'],
};

const notes: Partial<Readonly<Record<CheckName, Note>>> = {
  'file.no-kvm': hostUnsupported,
  'create-vm.type': {
    ...hostUnsupported,
    causes: [
      'the TDX module is not initialised: the kernel log says why',
      'kvm_intel was loaded without tdx=1',
      'the kernel is not the one with TDX: a boot entry changed',
      'BIOS or CPU have no TDX',
    ],
  },
  'command.no-tdx': hostUnsupported,
  'capabilities.buffer-too-small': {
    rank: 'effect',
    causes: ['the normal answer to a first try: the VMM asks again with more room'],
  },
  'init-vm.no-key-slot': noKeySlot,
  'init-vm.no-key-slot-yet': noKeySlot,
  'init-vm.cgroup-limit': {
    code: 'TDCTL_E_CGROUP_LIMIT',
    causes: [
      'misc.max of the cgroup or of a parent is reached',
      'other TDs of the same cgroup (pod, slice) are still being torn down',
    ],
  },
  'init-vm.package-offline': {
    causes: ['"All packages need to have online CPU" in the kernel log'],
  },
  'init-vm.max-vcpus-too-large': maxVcpusField,
  'init-vm.max-vcpus-mismatch': maxVcpusField,
  'init-vm.max-vcpus-too-small': maxVcpusField,
  'create-vcpu.id-range': vcpuLimit,
  'create-vcpu.limit': {
    ...vcpuLimit,
    causes: ['KVM gives a TD no more vCPUs than the host has CPUs'],
  },
  'create-vcpu.id-limit': vcpuLimit,
  'create-vcpu.td-state': {
    causes: [
      'a vCPU was to be plugged into a running TD: no kernel allows it',
      'the VMM creates vCPUs before KVM_TDX_INIT_VM',
    ],
  },
  'create-vcpu.td-finalised': {
    causes: ['a vCPU was to be plugged into a running TD: no kernel allows it'],
  },
  'init-vcpu.module-refused': {
    causes: [
      'the TD has as many vCPUs as MAX_VCPUS allows (TDX_MAX_VCPUS_EXCEEDED in the kernel log)',
      'another call to the module failed ("SEAMCALL TDH_VP_…" in the kernel log)',
    ],
  },
  'finalize-vm.module-refused': {
    causes: [
      'no vCPU of the TD is initialised (TDX_NO_VCPUS)',
      'the module was updated while the TD was being built (TDX_INCOMPATIBLE_MRTD_CONTEXT)',
    ],
  },
  'enable-cap.unknown': {
    causes: [
      'the VMM was written for another kernel, or for a patch series that was not merged so: KVM_CAP_MAX_VCPUS is of v10 to v19',
    ],
  },
  'enable-cap.max-vcpu-id.too-large': vcpuLimit,
  'enable-cap.max-vcpu-id.below-boot': vcpuLimit,
  'enable-cap.max-vcpu-id.set-already': vcpuLimit,
  'enable-cap.max-vcpus.no-td': vcpuLimit,
  'enable-cap.max-vcpus.zero': vcpuLimit,
  'enable-cap.max-vcpus.too-large': vcpuLimit,
  'enable-cap.max-vcpus.vcpus-exist': vcpuLimit,
  'enable-cap.max-vcpus.above-kvm-max': vcpuLimit,
  'enable-cap.max-vcpus.too-late': vcpuLimit,
};

/** The answer that a row is. */
export function answerOfCheck(
  name: string,
  { when, remedy }: Pick<Check, 'when' | 'remedy'>,
): RefusalAnswer {
  const note: Note | undefined = (notes as Readonly<Record<string, Note>>)[name];
  return { id: name, code: 'TDCTL_E_IOCTL', meaning: when, next: remedy, ...note };
}

export const checkAnswers: readonly RefusalAnswer[] = Object.entries(book).map(([name, row]) =>
  answerOfCheck(name, row),
);
