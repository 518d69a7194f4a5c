/** KVM_ENABLE_CAP on a VM fd (kernel-abi 1.6 and 7.1). No refusal changes any state. */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import type { Answer, Caller, EnableCapStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import { KVM_MAX_IRQ_ROUTES, leastBound, maxDirtyRingBytes, maxVcpuIds } from '../limits.ts';
import { moveEncContextFrom } from '../move/move-enc-context.ts';
import type { Vm } from '../objects.ts';
import { capabilityMasks } from '../system/capability-values.ts';
import { checkExtension } from '../system/check-extension.ts';

const u32Max = 0xffff_ffffn;

const x2apicApi = { all: 0xfn, enableSuppressEoi: 1n << 2n, disableSuppressEoi: 1n << 3n } as const;
const hypercallsThatExit = BigInt(capabilityMasks.hypercallsThatExit);
/** INVAL, UNKNOWN, FILTER */
const msrExitReasons = 7n;
const dirtyRings: ReadonlySet<number> = new Set([
  capabilities.KVM_CAP_DIRTY_LOG_RING,
  capabilities.KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
]);
const pmuDisable = 1n;
const busLock = { off: 1n, exit: 2n } as const;
const notify = { all: 0x3n, enabled: 1n } as const;

export function enableCap(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  user: UserStruct<EnableCapStruct>,
): Answer {
  // E1
  const cap = user.read();
  if (cap === undefined) return refuse('EFAULT');
  const arg = cap.args[0] ?? 0n;
  // Of the generic half, which looks at the flags for itself, or not at all.
  if (dirtyRings.has(cap.cap)) return enableDirtyRing(kernel, vm, arg);
  // E2
  if (cap.flags !== 0) return refuse('EINVAL');
  switch (cap.cap) {
    case capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
      return enableManualDirtyLog(vm, arg);
    case capabilities.KVM_CAP_HALT_POLL:
      return arg > u32Max ? refuse('EINVAL') : done;
    case capabilities.KVM_CAP_EXCEPTION_PAYLOAD:
      vm.caps.exceptionPayload = isSet(arg);
      return done;
    case capabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT:
      vm.caps.tripleFaultEvent = isSet(arg);
      return done;
    case capabilities.KVM_CAP_X86_USER_SPACE_MSR:
      if ((arg & ~msrExitReasons) !== 0n) return refuse('EINVAL');
      vm.caps.userSpaceMsr = arg;
      return done;
    case capabilities.KVM_CAP_X86_DISABLE_EXITS:
      if ((arg & ~knownBits(kernel, vm, cap.cap)) !== 0n) return refuse('EINVAL');
      return vm.vcpus.length > 0 ? refuse('EINVAL') : done;
    case capabilities.KVM_CAP_MSR_PLATFORM_INFO:
      return done;
    case capabilities.KVM_CAP_EXIT_ON_EMULATION_FAILURE:
      return (arg & ~1n) === 0n ? done : refuse('EINVAL');
    case capabilities.KVM_CAP_SPLIT_IRQCHIP:
      return splitIrqchip(kernel, vm, arg);
    case capabilities.KVM_CAP_X2APIC_API:
      return enableX2apicApi(vm, arg);
    case capabilities.KVM_CAP_EXIT_HYPERCALL:
      if ((arg & ~hypercallsThatExit) !== 0n) return refuse('EINVAL');
      vm.caps.exitHypercall = arg;
      return done;
    case capabilities.KVM_CAP_MAX_VCPU_ID:
      return setMaxVcpuId(kernel, vm, arg);
    case capabilities.KVM_CAP_X86_APIC_BUS_CYCLES_NS:
      return setApicBusCycles(vm, arg);
    case capabilities.KVM_CAP_PMU_CAPABILITY:
      return setPmuCapability(kernel, vm, arg);
    case capabilities.KVM_CAP_X86_BUS_LOCK_EXIT:
      if ((arg & ~(busLock.off | busLock.exit)) !== 0n) return refuse('EINVAL');
      if (arg === (busLock.off | busLock.exit)) return refuse('EINVAL');
      // Without the hardware it is accepted and has no effect.
      if (kernel.profile.platform.features.busLockDetection && arg === busLock.exit) {
        vm.caps.busLockExit = arg;
      }
      return done;
    case capabilities.KVM_CAP_X86_NOTIFY_VMEXIT:
      return setNotifyVmexit(kernel, vm, arg);
    case capabilities.KVM_CAP_DISABLE_QUIRKS2:
      return disableQuirks(kernel, vm, arg);
    case capabilities.KVM_CAP_DISABLE_QUIRKS:
      // The older one, which leaves out what it does not know.
      return disableQuirks(
        kernel,
        vm,
        arg & knownBits(kernel, vm, capabilities.KVM_CAP_DISABLE_QUIRKS2),
      );
    case capabilities.KVM_CAP_MAX_VCPUS:
      return setMaxVcpus(kernel, vm, arg);
    case capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM:
      return moveEncContextFrom(kernel, caller, vm, Number(arg));
    // No Intel kernel, merged or posted, has KVM_CAP_VM_COPY_ENC_CONTEXT_FROM.
    default:
      return refuse('EINVAL');
  }
}

/** C's _Bool of a u64. */
function isSet(arg: bigint): boolean {
  return arg !== 0n;
}

/** INITIALLY_SET goes with ENABLE only. */
function enableManualDirtyLog(vm: Vm, options: bigint): Answer {
  const allowed = (options & 1n) !== 0n ? BigInt(capabilityMasks.manualDirtyLog) : 1n;
  if ((options & ~allowed) !== 0n) return refuse('EINVAL');
  vm.caps.manualDirtyLog = options;
  return done;
}

/** A page; and room for 64 reserved entries and for the 512 of a CPU's own log, of 16 bytes each. */
function leastDirtyRingBytes({ profile }: Kernel, vm: Vm): number {
  const logged = !vm.isTd && profile.platform.pageModificationLog !== false;
  return Math.max(4096, (64 + (logged ? 512 : 0)) * 16);
}

/** Rings instead of bitmaps, of a size in bytes that KVM takes as 32 bits. */
function enableDirtyRing(kernel: Kernel, vm: Vm, arg: bigint): Answer {
  const bytes = Number(arg & u32Max);
  if (bytes === 0 || (bytes & (bytes - 1)) !== 0) return refuse('EINVAL');
  if (bytes < leastDirtyRingBytes(kernel, vm)) return refuse('EINVAL');
  if (bytes > maxDirtyRingBytes) return refuse('E2BIG');
  if (vm.caps.dirtyRingBytes !== 0 || vm.vcpus.length > 0) return refuse('EINVAL');
  vm.caps.dirtyRingBytes = bytes;
  return done;
}

function splitIrqchip(kernel: Kernel, vm: Vm, routes: bigint): Answer {
  if (routes > BigInt(KVM_MAX_IRQ_ROUTES)) return refuse('EINVAL');
  if (vm.irqchip !== 'none') return refuse('EEXIST');
  if (vm.vcpus.length > 0) return refuse('EEXIST');
  const fault = faultAt(kernel, 'KVM_ENABLE_CAP: allocate');
  if (fault !== undefined) return fault;
  vm.irqchip = 'split';
  return done;
}

function enableX2apicApi(vm: Vm, flags: bigint): Answer {
  if ((flags & ~x2apicApi.all) !== 0n) return refuse('EINVAL');
  const enable = (flags & x2apicApi.enableSuppressEoi) !== 0n;
  if (enable && (flags & x2apicApi.disableSuppressEoi) !== 0n) return refuse('EINVAL');
  if (enable && vm.irqchip !== 'split') return refuse('EINVAL');
  vm.caps.x2apicApi |= flags;
  return done;
}

/** kernel-abi 3.2: where the kernel has it. */
function setMaxVcpus(kernel: Kernel, vm: Vm, vcpus: bigint): Answer {
  const rule = kernel.abi.maxVcpus.capability;
  if (rule === undefined) return refuse('EINVAL');
  if (rule.vms === 'TDs' && !vm.isTd) return refuse('EINVAL');
  if (vcpus === 0n && rule.zero === 'EINVAL') return refuse('EINVAL');
  if (vcpus > BigInt(leastBound(kernel, rule.limits))) return refuse(rule.tooMany);
  if (vm.vcpus.length > 0) return refuse(rule.vcpusExist);
  vm.maxVcpus = Number(vcpus);
  return done;
}

function setMaxVcpuId(kernel: Kernel, vm: Vm, ids: bigint): Answer {
  if (ids > BigInt(maxVcpuIds(kernel.profile.kvmMaxVcpus))) return refuse('EINVAL');
  const wanted = Number(ids);
  if (vm.bootVcpuId > wanted) return refuse('EINVAL');
  if (vm.maxVcpuIds === wanted) return done;
  if (vm.maxVcpuIds !== 0) return refuse('EINVAL');
  vm.maxVcpuIds = wanted;
  return done;
}

function setApicBusCycles(vm: Vm, nanoseconds: bigint): Answer {
  // The counter's product with the largest divider must fit 64 bits.
  if (nanoseconds === 0n || u32Max * 128n * nanoseconds >= 1n << 64n) return refuse('EINVAL');
  if (vm.irqchip === 'none') return refuse('ENXIO');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  vm.caps.apicBusCyclesNs = nanoseconds;
  return done;
}

function setPmuCapability(kernel: Kernel, vm: Vm, arg: bigint): Answer {
  if (!kernel.profile.platform.features.pmu || (arg & ~pmuDisable) !== 0n) return refuse('EINVAL');
  // A TD's PMU is protected: the only thing to ask for is that it is off.
  if (vm.isTd && arg !== pmuDisable) return refuse('EINVAL');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  vm.caps.pmuDisabled = arg === pmuDisable;
  return done;
}

/** Where KVM_CHECK_EXTENSION answers with the bits that can be asked for. */
function knownBits(kernel: Kernel, vm: Vm, capability: number): bigint {
  return BigInt(checkExtension(kernel, capability, vm));
}

function disableQuirks(kernel: Kernel, vm: Vm, quirks: bigint): Answer {
  const known = knownBits(kernel, vm, capabilities.KVM_CAP_DISABLE_QUIRKS2);
  if ((quirks & ~known) !== 0n) return refuse('EINVAL');
  vm.caps.disabledQuirks |= quirks;
  return done;
}

/** args0: flags in the low half, the window in the high half. */
function setNotifyVmexit(kernel: Kernel, vm: Vm, arg: bigint): Answer {
  const flags = arg & u32Max;
  if ((flags & ~notify.all) !== 0n) return refuse('EINVAL');
  if (!kernel.profile.platform.features.notifyVmExit) return refuse('EINVAL');
  if ((flags & notify.enabled) === 0n) return refuse('EINVAL');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  vm.caps.notifyVmexit = arg;
  return done;
}
