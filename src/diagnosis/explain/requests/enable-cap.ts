/** KVM_ENABLE_CAP on a VM, by capability. Source: kernel-abi parts 1.6 and 7.1, Linux 7.3. */
import type { TdctlErrorCode } from '../../../errors/index.ts';
import type { Answer } from '../answer.ts';
import { deadVm } from './common-checks.ts';
import type { Check, RefusalAnswer, RequestFacts } from './request.ts';

/** E1 and E2: before the capability is looked at. Step 0, like G1. */
const beforeAnyCap: readonly Check[] = [
  deadVm,
  { step: 0, errno: 'EFAULT', when: 'the struct is unreadable' },
  { step: 0, errno: 'EINVAL', when: 'flags is not 0' },
];

type CapCheck = readonly [Check['errno'], string];

function capFacts(
  capability: string,
  checks: readonly CapCheck[],
  answers: RequestFacts['answers'],
): RequestFacts {
  return {
    request: `KVM_ENABLE_CAP(${capability})`,
    on: 'the VM',
    checks: [
      ...beforeAnyCap,
      ...checks.map(([errno, when], index) => ({ step: index + 1, errno, when })),
    ],
    answers,
  };
}

function refused(answer: Answer, code: TdctlErrorCode = 'TDCTL_E_IOCTL'): RefusalAnswer {
  return { ...answer, code };
}

/** Also the answers for a capability that the line does not name. */
export const anyCapFacts: RequestFacts = {
  request: 'KVM_ENABLE_CAP',
  on: 'the VM',
  checks: [
    ...beforeAnyCap,
    { step: 1, errno: 'EINVAL', when: 'the kernel does not know the capability, or its arguments' },
    { step: 2, errno: 'EEXIST', when: 'KVM_CAP_SPLIT_IRQCHIP: an irqchip or a vCPU exists' },
    {
      step: 2,
      errno: 'ENXIO',
      when: 'KVM_CAP_X86_APIC_BUS_CYCLES_NS: the VM has no in-kernel irqchip',
    },
  ],
  answers: {
    EINVAL: refused({
      id: 'enable-cap.refused',
      meaning: 'the kernel does not offer the capability to this VM, or refuses its arguments',
      next: 'name the capability: `tdctl explain EINVAL KVM_ENABLE_CAP KVM_CAP_…`',
    }),
    EEXIST: refused({
      id: 'enable-cap.too-late',
      meaning: 'the capability cannot be set any more: an irqchip or a vCPU exists',
      next: 'set it before the first vCPU',
    }),
    ENXIO: refused({
      id: 'enable-cap.no-irqchip',
      meaning: 'the capability needs an in-kernel irqchip, and the VM has none',
      next: 'split the irqchip first (KVM_CAP_SPLIT_IRQCHIP)',
    }),
  },
};

const splitIrqchip = capFacts(
  'KVM_CAP_SPLIT_IRQCHIP',
  [
    ['EINVAL', 'more than 4096 routes are asked for'],
    ['EEXIST', 'the VM has an in-kernel irqchip'],
    ['EEXIST', 'the VM has a vCPU'],
  ],
  {
    EINVAL: refused({
      id: 'enable-cap.split-irqchip.routes',
      meaning: 'more interrupt routes are asked for than KVM has (4096)',
      next: 'ask for as many as the I/O APIC has pins: 24',
    }),
    EEXIST: refused({
      id: 'enable-cap.split-irqchip.too-late',
      meaning: 'the irqchip cannot be split any more: the VM has an irqchip or a vCPU',
      next: 'split the irqchip right after KVM_CREATE_VM',
    }),
  },
);

const maxVcpuId = capFacts(
  'KVM_CAP_MAX_VCPU_ID',
  [
    ['EINVAL', 'the number is above KVM_MAX_VCPU_IDS'],
    ['EINVAL', 'the id of the boot vCPU is above the number'],
    ['EINVAL', 'another number was set before, or by the first KVM_CREATE_VCPU'],
  ],
  {
    EINVAL: refused(
      {
        id: 'enable-cap.max-vcpu-id',
        meaning:
          'the limit of vCPU ids is above that of the kernel, or was fixed to another before',
        causes: [
          'it was set twice, or after the first KVM_CREATE_VCPU, which fixes it',
          'it is above KVM_MAX_VCPU_IDS',
        ],
        next: 'set it once, before the first vCPU; `tdctl host` shows the limits',
      },
      'TDCTL_E_VCPU_LIMIT',
    ),
  },
);

const apicBusCycles = capFacts(
  'KVM_CAP_X86_APIC_BUS_CYCLES_NS',
  [
    ['EINVAL', 'the number is 0 or too large'],
    ['ENXIO', 'the VM has no in-kernel irqchip'],
    ['EINVAL', 'the VM has a vCPU'],
  ],
  {
    EINVAL: refused({
      id: 'enable-cap.apic-bus-cycles',
      meaning: 'the period of the APIC timer is 0 or too large, or the VM has a vCPU already',
      next: 'set it to 40 ns (25 MHz) before the first vCPU',
    }),
    ENXIO: refused({
      id: 'enable-cap.apic-bus-cycles.no-irqchip',
      meaning: 'the period of the APIC timer needs an in-kernel irqchip, and the VM has none',
      next: 'split the irqchip first: kernel_irqchip=split',
    }),
  },
);

export const enableCapFacts: readonly RequestFacts[] = [
  anyCapFacts,
  splitIrqchip,
  maxVcpuId,
  apicBusCycles,
  capFacts(
    'KVM_CAP_X2APIC_API',
    [
      ['EINVAL', 'a bit that the kernel does not know'],
      ['EINVAL', 'bits 2 and 3 together'],
      ['EINVAL', 'bit 2 while the irqchip is not split'],
    ],
    {
      EINVAL: refused({
        id: 'enable-cap.x2apic-api',
        meaning:
          'the flags of the x2APIC interface are unknown, exclude each other, or need a split irqchip',
        next: 'split the irqchip first, and set only bits that KVM_CHECK_EXTENSION reports',
      }),
    },
  ),
  capFacts('KVM_CAP_EXIT_HYPERCALL', [['EINVAL', 'a bit other than KVM_HC_MAP_GPA_RANGE']], {
    EINVAL: refused({
      id: 'enable-cap.exit-hypercall',
      meaning: 'a hypercall is named that cannot exit to the VMM',
      next: 'set only KVM_HC_MAP_GPA_RANGE (0x1000)',
    }),
  }),
  capFacts('KVM_CAP_MAX_VCPUS', [['EINVAL', 'no released kernel takes it']], {
    EINVAL: refused(
      {
        id: 'enable-cap.max-vcpus-unknown',
        meaning: 'no released kernel lets the VMM choose how many vCPUs a TD may have',
        causes: ['the VMM was written for a patch series (v10 to v19) that was not merged so'],
        next: 'leave it out: a TD may have as many vCPUs as the host has CPUs; see `tdctl host`',
      },
      'TDCTL_E_VCPU_LIMIT',
    ),
  }),
  ...(['MOVE', 'COPY'] as const).map((verb) =>
    capFacts(
      `KVM_CAP_VM_${verb}_ENC_CONTEXT_FROM`,
      [['EINVAL', 'KVM on Intel has no such operation; the descriptor is not looked at']],
      {
        EINVAL: refused({
          id: `enable-cap.${verb.toLowerCase()}-enc-context-unsupported`,
          meaning:
            'no released kernel moves or copies a TD between VMs, though the capability reads 1',
          next: 'leave the TD where it is: moving it needs a patched kernel (an RFC, never merged)',
        }),
      },
    ),
  ),
  capFacts(
    'KVM_CAP_PMU_CAPABILITY',
    [
      ['EINVAL', 'the PMU is off in KVM, or a bit other than 0'],
      ['EINVAL', 'a TD, and the argument is not KVM_PMU_CAP_DISABLE'],
      ['EINVAL', 'the VM has a vCPU'],
    ],
    {
      EINVAL: refused({
        id: 'enable-cap.pmu-capability',
        meaning: 'a TD can only switch the PMU of KVM off, and only before its first vCPU',
        next: 'set KVM_PMU_CAP_DISABLE before the first vCPU, or leave it out',
      }),
    },
  ),
  capFacts(
    'KVM_CAP_X86_BUS_LOCK_EXIT',
    [
      ['EINVAL', 'a bit that the kernel does not know'],
      ['EINVAL', 'OFF and EXIT together'],
    ],
    {
      EINVAL: refused({
        id: 'enable-cap.bus-lock-exit',
        meaning:
          'the mode of bus lock detection is unknown, or OFF and EXIT are asked for together',
        next: 'choose one of OFF and EXIT',
      }),
    },
  ),
  capFacts(
    'KVM_CAP_X86_NOTIFY_VMEXIT',
    [
      ['EINVAL', 'a bit that the kernel does not know'],
      ['EINVAL', 'the CPU cannot do it'],
      ['EINVAL', 'ENABLED is not set'],
      ['EINVAL', 'the VM has a vCPU'],
    ],
    {
      EINVAL: refused({
        id: 'enable-cap.notify-vmexit',
        meaning: 'the CPU has no notify VM exit, the flags are wrong, or the VM has a vCPU already',
        next: 'check KVM_CHECK_EXTENSION for it, and set it before the first vCPU',
      }),
    },
  ),
  capFacts('KVM_CAP_DISABLE_QUIRKS2', [['EINVAL', 'a bit that the kernel does not know']], {
    EINVAL: refused({
      id: 'enable-cap.disable-quirks2',
      meaning: 'a quirk is named that this kernel does not have',
      next: 'set only bits that KVM_CHECK_EXTENSION reports',
    }),
  }),
];
