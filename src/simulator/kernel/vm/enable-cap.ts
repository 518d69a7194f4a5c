/**
 * KVM_ENABLE_CAP on a VM fd follows kvm_vm_ioctl_enable_cap_generic() and kvm_vm_ioctl_enable_cap(). A
 * refusal changes no state.
 */
import {
  type CapabilityName,
  capabilities,
  capabilityNames,
} from '../../../abi/kvm/capabilities.ts';
import { type CheckedRequest, isCheckedRequest } from '../../../abi/kvm/checks/index.ts';
import type { Answer, Caller, EnableCapStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Step, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_MAX_IRQ_ROUTES, leastBound, maxDirtyRingBytes, maxVcpuIds } from '../limits.ts';
import { moveEncContextFrom } from '../move/move-enc-context.ts';
import type { Vm } from '../objects.ts';
import { capabilityMasks } from '../system/capability-values.ts';
import { checkExtension } from '../system/check-extension.ts';
import type { CapCall } from './cap-call.ts';

const u32Max = 0xffff_ffffn;
const x2apicApi = { enableSuppressEoi: 1n << 2n, disableSuppressEoi: 1n << 3n } as const;
/** The bits are INVAL, UNKNOWN and FILTER. */
const msrExitReasons = 7n;
const pmuDisable = 1n;
/** KVM_X86_DISABLE_EXITS_HLT */
const haltExit = 2n;
const busLock = { off: 1n, exit: 2n } as const;
const notify = { all: 0x3n, enabled: 1n } as const;

const bitsBeyond =
  (known: bigint | ((call: CapCall) => bigint)): Step<CapCall> =>
  (call) =>
    (call.arg & ~(typeof known === 'bigint' ? known : known(call))) !== 0n;
/** The bits that can be asked for are those that KVM_CHECK_EXTENSION reports for the capability. */
const asReported =
  (name: CapabilityName) =>
  ({ kernel, vm }: CapCall) =>
    BigInt(checkExtension(kernel, capabilities[name], vm));
const vcpusExist: Step<CapCall> = ({ vm }) => vm.vcpus.length > 0;
const isAboveLimit: Step<CapCall> = ({ kernel, arg }) =>
  arg > BigInt(leastBound(kernel, kernel.abi.maxVcpus.capabilityTakes));

const steps: Steps<CapCall> = {
  'argument.unreadable': ({ cap }) => cap.fails(),
  'enable-cap.flags': ({ cap }) => cap.value.flags !== 0,
  'enable-cap.unknown': () => true,
  'enable-cap.copy-enc-context.unsupported': () => true,

  'enable-cap.split-irqchip.routes': ({ arg }) => arg > BigInt(KVM_MAX_IRQ_ROUTES),
  'enable-cap.split-irqchip.exists': ({ vm }) => vm.irqchip !== 'none',
  'enable-cap.split-irqchip.too-late': vcpusExist,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_ENABLE_CAP: allocate'),

  'enable-cap.max-vcpu-id.too-large': ({ kernel, arg }) =>
    arg > BigInt(maxVcpuIds(kernel.profile.kvmMaxVcpus)),
  'enable-cap.max-vcpu-id.below-boot': ({ vm, arg }) => BigInt(vm.bootVcpuId) > arg,
  'enable-cap.max-vcpu-id.set-already': ({ vm, arg }) =>
    vm.maxVcpuIds !== 0 && BigInt(vm.maxVcpuIds) !== arg,

  // The counter's product with the largest divider must fit 64 bits.
  'enable-cap.apic-bus-cycles.range': ({ arg }) => arg === 0n || u32Max * 128n * arg >= 1n << 64n,
  'enable-cap.apic-bus-cycles.no-irqchip': ({ vm }) => vm.irqchip === 'none',
  'enable-cap.apic-bus-cycles.too-late': vcpusExist,

  'enable-cap.x2apic-api.bits': bitsBeyond(0xfn),
  'enable-cap.x2apic-api.both': ({ arg }) =>
    (arg & x2apicApi.enableSuppressEoi) !== 0n && (arg & x2apicApi.disableSuppressEoi) !== 0n,
  'enable-cap.x2apic-api.not-split': ({ vm, arg }) =>
    (arg & x2apicApi.enableSuppressEoi) !== 0n && vm.irqchip !== 'split',

  'enable-cap.exit-hypercall.bits': bitsBeyond(BigInt(capabilityMasks.hypercallsThatExit)),

  'enable-cap.max-vcpus.no-td': ({ vm }) => !vm.isTd,
  'enable-cap.max-vcpus.zero': ({ arg }) => arg === 0n,
  'enable-cap.max-vcpus.too-large': isAboveLimit,
  'enable-cap.max-vcpus.above-kvm-max': isAboveLimit,
  'enable-cap.max-vcpus.vcpus-exist': vcpusExist,
  'enable-cap.max-vcpus.too-late': vcpusExist,

  'enable-cap.pmu-capability.bits': ({ kernel, arg }) =>
    !kernel.profile.platform.features.pmu || (arg & ~pmuDisable) !== 0n,
  // A TD's PMU is protected, so the call can ask only that it is off.
  'enable-cap.pmu-capability.td-must-disable': ({ vm, arg }) => vm.isTd && arg !== pmuDisable,
  'enable-cap.pmu-capability.too-late': vcpusExist,

  'enable-cap.bus-lock-exit.bits': bitsBeyond(busLock.off | busLock.exit),
  'enable-cap.bus-lock-exit.both': ({ arg }) => arg === (busLock.off | busLock.exit),

  // args[0] has the flags in the low half and the window in the high half.
  'enable-cap.notify-vmexit.bits': ({ arg }) => (arg & u32Max & ~notify.all) !== 0n,
  'enable-cap.notify-vmexit.no-hardware': ({ kernel }) =>
    !kernel.profile.platform.features.notifyVmExit,
  'enable-cap.notify-vmexit.not-enabled': ({ arg }) => (arg & notify.enabled) === 0n,
  'enable-cap.notify-vmexit.too-late': vcpusExist,

  'enable-cap.disable-quirks2.bits': bitsBeyond(asReported('KVM_CAP_DISABLE_QUIRKS2')),
  // INITIALLY_SET is only valid together with ENABLE.
  'enable-cap.manual-dirty-log.bits': bitsBeyond(({ arg }) =>
    (arg & 1n) !== 0n ? BigInt(capabilityMasks.manualDirtyLog) : 1n,
  ),
  'enable-cap.halt-poll.range': ({ arg }) => arg > u32Max,
  'enable-cap.dirty-ring.size': (call) => {
    const bytes = ringBytes(call);
    const isPowerOfTwo = bytes !== 0 && (bytes & (bytes - 1)) === 0;
    return !isPowerOfTwo || bytes < leastDirtyRingBytes(call);
  },
  'enable-cap.dirty-ring.too-large': (call) => ringBytes(call) > maxDirtyRingBytes,
  'enable-cap.dirty-ring.too-late': ({ vm }) => vm.caps.dirtyRingBytes !== 0 || vm.vcpus.length > 0,
  'enable-cap.user-space-msr.bits': bitsBeyond(msrExitReasons),
  'enable-cap.disable-exits.bits': bitsBeyond(asReported('KVM_CAP_X86_DISABLE_EXITS')),
  'enable-cap.disable-exits.too-late': vcpusExist,
  'enable-cap.exit-on-emulation-failure.bits': bitsBeyond(1n),
};

/**
 * Each row tells what a capability changes once it is taken. A capability without a row changes nothing
 * here.
 */
const effects: Readonly<Partial<Record<CapabilityName, (call: CapCall) => void>>> = {
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: ({ vm, arg }) => {
    vm.caps.manualDirtyLog = arg;
  },
  KVM_CAP_EXCEPTION_PAYLOAD: ({ vm, arg }) => {
    vm.caps.exceptionPayload = arg !== 0n;
  },
  KVM_CAP_X86_TRIPLE_FAULT_EVENT: ({ vm, arg }) => {
    vm.caps.tripleFaultEvent = arg !== 0n;
  },
  KVM_CAP_X86_USER_SPACE_MSR: ({ vm, arg }) => {
    vm.caps.userSpaceMsr = arg;
  },
  KVM_CAP_SPLIT_IRQCHIP: ({ vm }) => {
    vm.irqchip = 'split';
  },
  KVM_CAP_X2APIC_API: ({ vm, arg }) => {
    vm.caps.x2apicApi |= arg;
  },
  KVM_CAP_EXIT_HYPERCALL: ({ vm, arg }) => {
    vm.caps.exitHypercall = arg;
  },
  KVM_CAP_MAX_VCPU_ID: ({ vm, arg }) => {
    vm.maxVcpuIds = Number(arg);
  },
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: ({ vm, arg }) => {
    vm.caps.apicBusCyclesNs = arg;
  },
  KVM_CAP_PMU_CAPABILITY: ({ vm, arg }) => {
    vm.caps.pmuDisabled = arg === pmuDisable;
  },
  // Without the hardware, the capability is accepted and has no effect.
  KVM_CAP_X86_BUS_LOCK_EXIT: ({ kernel, vm, arg }) => {
    if (kernel.profile.platform.features.busLockDetection && arg === busLock.exit) {
      vm.caps.busLockExit = arg;
    }
  },
  KVM_CAP_X86_NOTIFY_VMEXIT: ({ vm, arg }) => {
    vm.caps.notifyVmexit = arg;
  },
  KVM_CAP_X86_DISABLE_EXITS: ({ vm, arg }) => {
    vm.caps.haltInGuest ||= (arg & haltExit) !== 0n;
  },
  KVM_CAP_DISABLE_QUIRKS2: disableQuirks,
  // The older capability ignores the quirks that it does not know.
  KVM_CAP_DISABLE_QUIRKS: disableQuirks,
  KVM_CAP_MAX_VCPUS: ({ vm, arg }) => {
    vm.maxVcpus = Number(arg);
  },
  KVM_CAP_DIRTY_LOG_RING: setDirtyRing,
  KVM_CAP_DIRTY_LOG_RING_ACQ_REL: setDirtyRing,
};

export function enableCap(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  user: UserStruct<EnableCapStruct>,
): Answer {
  // The checks depend on the capability, which only the struct tells.
  const struct = user.read();
  const name = struct && capabilityNames.get(struct.cap);
  const cap = new CopiedIn(() => struct);
  const call: CapCall = { kernel, caller, vm, cap, arg: struct?.args[0] ?? 0n };
  const refused =
    name === 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM'
      ? moveEncContextFrom(call, steps)
      : firstRefusal(kernel, requestOf(name), { steps, call });
  if (refused !== undefined) return refused;
  if (name !== undefined) effects[name]?.(call);
  return done;
}

function requestOf(name: CapabilityName | undefined): CheckedRequest {
  const request = `KVM_ENABLE_CAP(${name})`;
  return isCheckedRequest(request) ? request : 'KVM_ENABLE_CAP';
}

function disableQuirks(call: CapCall): void {
  call.vm.caps.disabledQuirks |= call.arg & asReported('KVM_CAP_DISABLE_QUIRKS2')(call);
}

/** A VM has dirty rings instead of bitmaps. KVM takes their size in bytes as 32 bits. */
function ringBytes({ arg }: CapCall): number {
  return Number(arg & u32Max);
}

function setDirtyRing(call: CapCall): void {
  call.vm.caps.dirtyRingBytes = ringBytes(call);
}

/**
 * A ring has at least a page, and room for 64 reserved entries and the 512 of a CPU's own log, of 16
 * bytes each.
 */
function leastDirtyRingBytes({ kernel, vm }: CapCall): number {
  const logged = !vm.isTd && kernel.profile.platform.pageModificationLog !== false;
  return Math.max(4096, (64 + (logged ? 512 : 0)) * 16);
}
