/** KVM_ENABLE_CAP on a VM, by capability. */
import type { CapabilityName } from '../capabilities.ts';
import { type Checks, checksIn, E2BIG, EBUSY, EEXIST, EINVAL, ENXIO, EPERM } from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';

const x86 = 'arch/x86/kvm/x86.c, kvm_vm_ioctl_enable_cap()';
const asReported = 'set only bits that KVM_CHECK_EXTENSION reports for it';
const beforeVcpus = 'enable it before the first vCPU';

/** On a VM, and on a vCPU. */
export const flags = checksIn(`${x86} and kvm_vcpu_ioctl_enable_cap()`, {
  'enable-cap.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
});

const before = { ...vmChecks, ...unreadable };

/** Rows of a capability, after those that come before any is looked at. */
function capability<Name extends string>(rows: Parameters<typeof checksIn<Name>>[1], source = x86) {
  return { ...before, ...flags, ...checksIn(source, rows) };
}

const unknown = {
  'enable-cap.unknown': EINVAL(
    'this kernel does not offer the capability to this VM',
    'leave it out on this kernel; `tdctl kernels` shows which has it',
  ),
};

const unknownBit = EINVAL('a bit that the kernel does not know', asReported);
const vcpuExists = EINVAL('the VM has a vCPU', beforeVcpus);

/** The generic half looks at the flags for itself, or not at all. */
const dirtyRing = {
  ...before,
  ...checksIn('virt/kvm/kvm_main.c, kvm_vm_ioctl_enable_dirty_log_ring()', {
    'enable-cap.dirty-ring.size': EINVAL(
      'the size is no power of two, or below a page and what the CPU logs at once',
      'ask for a power of two of at least 16 KiB',
    ),
    'enable-cap.dirty-ring.too-large': E2BIG(
      'the ring would have more than 65536 entries',
      'ask for at most 1 MiB',
    ),
    'enable-cap.dirty-ring.too-late': EINVAL(
      'the VM has dirty rings or a vCPU already',
      'enable it once, before the first vCPU',
    ),
  }),
};

/** Any argument is taken. */
const accepted = capability({});

export const enableCapChecks = {
  KVM_CAP_SPLIT_IRQCHIP: {
    ...capability({
      'enable-cap.split-irqchip.routes': EINVAL(
        'more than 4096 interrupt routes are asked for',
        'ask for as many as the I/O APIC has pins: 24',
      ),
      'enable-cap.split-irqchip.exists': EEXIST(
        'the VM has an in-kernel irqchip',
        'split the irqchip once, right after KVM_CREATE_VM',
      ),
      'enable-cap.split-irqchip.too-late': EEXIST(
        'the VM has a vCPU',
        'split the irqchip right after KVM_CREATE_VM',
      ),
    }),
    ...noMemory,
  },
  KVM_CAP_MAX_VCPU_ID: capability({
    'enable-cap.max-vcpu-id.too-large': EINVAL(
      'the number is above KVM_MAX_VCPU_IDS',
      'name at most what KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPU_ID) says',
    ),
    'enable-cap.max-vcpu-id.below-boot': EINVAL(
      'the id of the boot vCPU is above the number',
      'name a number above every vCPU id',
    ),
    'enable-cap.max-vcpu-id.set-already': EINVAL(
      'another number was set before, or by the first KVM_CREATE_VCPU',
      'set it once, before the first vCPU',
    ),
  }),
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: capability({
    'enable-cap.apic-bus-cycles.range': EINVAL(
      'the number of nanoseconds is 0 or too large',
      'set it to 40 ns (25 MHz)',
    ),
    'enable-cap.apic-bus-cycles.no-irqchip': ENXIO(
      'the VM has no in-kernel irqchip',
      'split the irqchip first (KVM_CAP_SPLIT_IRQCHIP)',
    ),
    'enable-cap.apic-bus-cycles.too-late': vcpuExists,
  }),
  KVM_CAP_X2APIC_API: capability({
    'enable-cap.x2apic-api.bits': unknownBit,
    'enable-cap.x2apic-api.both': EINVAL(
      'ENABLE_ and DISABLE_SUPPRESS_EOI_BROADCAST are asked for together',
      'choose one of the two',
    ),
    'enable-cap.x2apic-api.not-split': EINVAL(
      'ENABLE_SUPPRESS_EOI_BROADCAST is asked for while the irqchip is not split',
      'split the irqchip first (KVM_CAP_SPLIT_IRQCHIP)',
    ),
  }),
  KVM_CAP_EXIT_HYPERCALL: capability({
    'enable-cap.exit-hypercall.bits': EINVAL(
      'a hypercall is named that cannot exit to the VMM',
      'set only KVM_HC_MAP_GPA_RANGE (0x1000)',
    ),
  }),
  KVM_CAP_MAX_VCPUS: capability(unknown),
  KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: capability({
    'move.unsupported': EINVAL(
      'KVM on Intel has no such operation, though the capability reads 1; the descriptor is not looked at',
      'leave the TD where it is: moving it needs a kernel with an RFC of intra-host migration',
    ),
  }),
  KVM_CAP_VM_COPY_ENC_CONTEXT_FROM: capability({
    'enable-cap.copy-enc-context.unsupported': EINVAL(
      'KVM on Intel has no such operation, though the capability reads 1; the descriptor is not looked at',
      'leave it out: no kernel copies a TD between VMs',
    ),
  }),
  KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: capability({
    'enable-cap.nx-huge-pages.not-permitted': EPERM(
      'the process may not restart the machine (CAP_SYS_BOOT in the first user namespace)',
      'run the VMM as root, or leave the capability out: guests are as safe without it',
    ),
    'enable-cap.nx-huge-pages.argument': EINVAL('args[0] is not 0', 'pass 0 in args'),
    'enable-cap.nx-huge-pages.too-late': EINVAL(
      'the VM has a vCPU',
      'enable it before the first vCPU',
    ),
  }),
  KVM_CAP_SGX_ATTRIBUTE: capability({
    'enable-cap.sgx-attribute.no-file': EINVAL(
      'args[0] is no descriptor of /dev/sgx_provision',
      'open /dev/sgx_provision, and pass its descriptor',
    ),
  }),
  KVM_CAP_PMU_CAPABILITY: capability({
    'enable-cap.pmu-capability.bits': EINVAL(
      'the PMU of KVM is off, or a bit other than KVM_PMU_CAP_DISABLE is set',
      asReported,
    ),
    'enable-cap.pmu-capability.td-must-disable': EINVAL(
      'the VM is a TD, and the argument is not KVM_PMU_CAP_DISABLE',
      'set KVM_PMU_CAP_DISABLE, or leave it out',
    ),
    'enable-cap.pmu-capability.too-late': vcpuExists,
  }),
  KVM_CAP_X86_BUS_LOCK_EXIT: capability({
    'enable-cap.bus-lock-exit.bits': unknownBit,
    'enable-cap.bus-lock-exit.both': EINVAL(
      'OFF and EXIT are asked for together',
      'choose one of OFF and EXIT',
    ),
  }),
  KVM_CAP_X86_NOTIFY_VMEXIT: capability({
    'enable-cap.notify-vmexit.bits': unknownBit,
    'enable-cap.notify-vmexit.no-hardware': EINVAL(
      'the CPU has no notify VM exit',
      'leave it out where KVM_CHECK_EXTENSION says 0',
    ),
    'enable-cap.notify-vmexit.not-enabled': EINVAL(
      'KVM_X86_NOTIFY_VMEXIT_ENABLED is not set',
      'set it, or leave the capability out',
    ),
    'enable-cap.notify-vmexit.too-late': vcpuExists,
  }),
  KVM_CAP_DISABLE_QUIRKS2: capability({ 'enable-cap.disable-quirks2.bits': unknownBit }),
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: capability(
    { 'enable-cap.manual-dirty-log.bits': unknownBit },
    'virt/kvm/kvm_main.c, kvm_vm_ioctl_enable_cap_generic()',
  ),
  KVM_CAP_HALT_POLL: capability(
    {
      'enable-cap.halt-poll.range': EINVAL(
        'the number of nanoseconds does not fit 32 bits',
        'name at most 4294967295 ns',
      ),
    },
    'virt/kvm/kvm_main.c, kvm_vm_ioctl_enable_cap_generic()',
  ),
  KVM_CAP_DIRTY_LOG_RING: dirtyRing,
  KVM_CAP_DIRTY_LOG_RING_ACQ_REL: dirtyRing,
  KVM_CAP_X86_USER_SPACE_MSR: capability({ 'enable-cap.user-space-msr.bits': unknownBit }),
  KVM_CAP_X86_DISABLE_EXITS: capability({
    'enable-cap.disable-exits.bits': unknownBit,
    'enable-cap.disable-exits.too-late': vcpuExists,
  }),
  KVM_CAP_EXIT_ON_EMULATION_FAILURE: capability({
    'enable-cap.exit-on-emulation-failure.bits': unknownBit,
  }),
  KVM_CAP_EXCEPTION_PAYLOAD: accepted,
  KVM_CAP_X86_TRIPLE_FAULT_EVENT: accepted,
  KVM_CAP_MSR_PLATFORM_INFO: accepted,
  KVM_CAP_DISABLE_QUIRKS: accepted,
} as const satisfies Partial<Record<CapabilityName, Checks>>;

/** Of a capability that no kernel here has. */
export const anyCapChecks = capability(unknown);

const v10 = 'series v10 to v19, e.g. [PATCH v19 037/130]';

/** KVM_CAP_MAX_VCPUS, where a series or a proposal has it. */
export const otherMaxVcpusChecks = checksIn(v10, {
  'enable-cap.max-vcpus.no-td': EINVAL(
    'the VM is no TD, and the kernel offers it to TDs only',
    'leave it out for other VMs',
  ),
  'enable-cap.max-vcpus.zero': EINVAL('the number is 0', 'name at least one vCPU'),
  'enable-cap.max-vcpus.too-large': E2BIG(
    'the number is above what the kernel or the TDX module takes',
    'name at most as many vCPUs as `tdctl host` shows',
  ),
  'enable-cap.max-vcpus.vcpus-exist': EBUSY('the VM has a vCPU', beforeVcpus),
  'enable-cap.max-vcpus.above-kvm-max': EINVAL(
    'the number is above KVM_MAX_VCPUS',
    'name at most as many vCPUs as KVM_CAP_MAX_VCPUS on /dev/kvm says',
    { source: 'seed thread of October 2022 on [PATCH v9 016/105], option 1' },
  ),
  'enable-cap.max-vcpus.too-late': EINVAL('the VM has a vCPU', beforeVcpus, {
    source: 'seed thread of October 2022 on [PATCH v9 016/105], option 1',
  }),
});
