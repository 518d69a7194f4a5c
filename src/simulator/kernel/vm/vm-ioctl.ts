/** These are the ioctls of a VM fd. */
import type { Answer, Caller, Request } from '../../interface.ts';
import { done, ok, refuse } from '../answer.ts';
import { coalescedMmio } from '../interrupts/coalesced-mmio.ts';
import { hypervEventfd } from '../interrupts/hyperv-eventfd.ts';
import { irqLine, signalMsi } from '../interrupts/interrupts.ts';
import { ioeventfd } from '../interrupts/ioeventfd.ts';
import { setGsiRouting } from '../interrupts/irq-routing.ts';
import { accessIrqchip, createIrqchip, createPit } from '../interrupts/irqchip.ts';
import { irqfd } from '../interrupts/irqfd.ts';
import { pitState, reinjectControl } from '../interrupts/pit.ts';
import type { Kernel } from '../kernel.ts';
import { maxVcpuIds } from '../limits.ts';
import { blocked, resumable } from '../locks.ts';
import { clearDirtyLog, getDirtyLog, resetDirtyRings } from '../memory/dirty-log.ts';
import { createGuestMemfd, linkGuestMemfd } from '../memory/guest-memfd.ts';
import { setMemoryAttributes } from '../memory/memory-attributes.ts';
import { setUserMemoryRegion } from '../memory/memslots.ts';
import { setMsrFilter } from '../msrs/filter.ts';
import type { Vm } from '../objects.ts';
import { getStatsFd } from '../stats-fd.ts';
import { checkExtension } from '../system/check-extension.ts';
import { isTdxCommand } from '../tdx/command.ts';
import { tdxVmCommand } from '../tdx/vm-command.ts';
import { createVcpu } from '../vcpu/create-vcpu.ts';
import { getClock, setClock } from './clock.ts';
import { enableCap } from './enable-cap.ts';
import { setIdentityMapAddr, setNrMmuPages, setTssAddr } from './legacy-addresses.ts';
import { setPmuEventFilter } from './pmu-event-filter.ts';
import { getTscKhz, setVmTscKhz } from './tsc.ts';
import { createDevice } from './vfio-device.ts';
import { refusedAtEntry } from './vm.ts';
import { xenEvtchnSend, xenHvmAttr, xenHvmConfig } from './xen.ts';

export function vmIoctl(kernel: Kernel, caller: Caller, vm: Vm, request: Request): Answer {
  const refused = refusedAtEntry(caller, vm);
  if (refused !== undefined) return refused;
  if (isTdxCommand(request)) return tdxVmCommand(kernel, caller, vm, request);
  if (!underLock.has(request.request)) return perform(kernel, caller, vm, request);
  return resumable(() => blocked(kernel, [vm.lock]) ?? perform(kernel, caller, vm, request));
}

/**
 * These take kvm->lock, and no signal ends their wait for it. KVM_ENABLE_CAP does so for some capabilities
 * (vm/enable-cap.ts).
 */
const underLock: ReadonlySet<Request['request']> = new Set([
  'KVM_CREATE_VCPU',
  'KVM_CREATE_IRQCHIP',
  'KVM_CREATE_PIT',
  'KVM_CREATE_PIT2',
  'KVM_SET_PIT',
  'KVM_SET_PIT2',
  'KVM_SET_PMU_EVENT_FILTER',
  'KVM_SET_BOOT_CPU_ID',
  'KVM_SET_IDENTITY_MAP_ADDR',
  'KVM_SET_TSC_KHZ',
]);

function perform(kernel: Kernel, caller: Caller, vm: Vm, request: Request): Answer {
  switch (request.request) {
    case 'KVM_CHECK_EXTENSION':
      return ok(checkExtension(kernel, request.capability, vm));
    case 'KVM_ENABLE_CAP':
      return enableCap(kernel, caller, vm, request.cap);
    case 'KVM_CREATE_VCPU':
      return createVcpu(kernel, caller, vm, request.id);
    case 'KVM_SET_BOOT_CPU_ID':
      return setBootCpuId(kernel, vm, request.id);
    case 'KVM_GET_STATS_FD':
      return getStatsFd(kernel, caller, { vm, vcpu: undefined });
    case 'KVM_CREATE_DEVICE':
      return createDevice(kernel, caller, vm, request);

    case 'KVM_SET_USER_MEMORY_REGION':
    case 'KVM_SET_USER_MEMORY_REGION2':
      return setUserMemoryRegion(kernel, vm, request.request, request.region);
    case 'KVM_CREATE_GUEST_MEMFD':
      return createGuestMemfd(kernel, caller, vm, request.create);
    case 'KVM_LINK_GUEST_MEMFD':
      return linkGuestMemfd(kernel, caller, vm, request.link);
    case 'KVM_SET_MEMORY_ATTRIBUTES':
      return setMemoryAttributes(kernel, vm, request.attributes);
    case 'KVM_GET_DIRTY_LOG':
      return getDirtyLog(kernel, vm, request.log, request.bitmap);
    case 'KVM_CLEAR_DIRTY_LOG':
      return clearDirtyLog(kernel, vm, request.log, request.bitmap);
    case 'KVM_RESET_DIRTY_RINGS':
      return resetDirtyRings(vm);
    case 'KVM_SET_TSS_ADDR':
      return setTssAddr(request.addr);
    case 'KVM_SET_IDENTITY_MAP_ADDR':
      return setIdentityMapAddr(vm, request.addr);
    case 'KVM_SET_NR_MMU_PAGES':
      return setNrMmuPages(request.pages);
    case 'KVM_MEMORY_ENCRYPT_REG_REGION':
    case 'KVM_MEMORY_ENCRYPT_UNREG_REGION':
      // Only SEV has these requests: the table of VMX lacks the operation.
      return refuse(
        request.region.read() === undefined ? 'argument.unreadable' : 'encrypt-region.unsupported',
      );

    case 'KVM_CREATE_IRQCHIP':
      return createIrqchip(kernel, vm);
    case 'KVM_CREATE_PIT':
      return createPit(kernel, vm, undefined);
    case 'KVM_CREATE_PIT2':
      return createPit(kernel, vm, request.config);
    case 'KVM_GET_PIT':
    case 'KVM_SET_PIT':
    case 'KVM_GET_PIT2':
    case 'KVM_SET_PIT2':
      return pitState(kernel, vm, request.request, request.struct);
    case 'KVM_REINJECT_CONTROL':
      return reinjectControl(kernel, vm, request.struct);
    case 'KVM_GET_IRQCHIP':
    case 'KVM_SET_IRQCHIP':
      return accessIrqchip(kernel, vm, request.request, request.chip);
    case 'KVM_SET_GSI_ROUTING':
      return setGsiRouting(kernel, vm, request.routing);
    case 'KVM_IRQFD':
      return irqfd(kernel, vm, request.irqfd);
    case 'KVM_IOEVENTFD':
      return ioeventfd(kernel, vm, request.ioeventfd);
    case 'KVM_SIGNAL_MSI':
      return signalMsi(kernel, vm, request.msi);
    case 'KVM_IRQ_LINE':
    case 'KVM_IRQ_LINE_STATUS':
      return irqLine(kernel, vm, request.request, request.line);
    case 'KVM_REGISTER_COALESCED_MMIO':
    case 'KVM_UNREGISTER_COALESCED_MMIO':
      return coalescedMmio(kernel, vm, request.request, request.zone);

    case 'KVM_SET_TSC_KHZ':
      return setVmTscKhz(kernel, vm, request.tscKhz);
    case 'KVM_GET_TSC_KHZ':
      return getTscKhz(vm);
    case 'KVM_GET_CLOCK':
      return getClock(kernel, vm, request.clock);
    case 'KVM_SET_CLOCK':
      return setClock(kernel, vm, request.clock);
    case 'KVM_X86_SET_MSR_FILTER':
      return setMsrFilter(kernel, vm, request.filter, request.bitmaps);
    case 'KVM_SET_PMU_EVENT_FILTER':
      return setPmuEventFilter(kernel, request.struct);
    case 'KVM_HYPERV_EVENTFD':
      return hypervEventfd(kernel, vm, request.args);
    case 'KVM_XEN_HVM_CONFIG':
      return xenHvmConfig(kernel, request.struct);
    case 'KVM_XEN_HVM_GET_ATTR':
    case 'KVM_XEN_HVM_SET_ATTR':
      return xenHvmAttr(kernel, caller, vm, request.request, request.struct);
    case 'KVM_XEN_HVM_EVTCHN_SEND':
      return xenEvtchnSend(kernel, vm, request.struct);
    default:
      return refuse('request.unknown-on-vm');
  }
}

function setBootCpuId(kernel: Kernel, vm: Vm, id: number): Answer {
  if (vm.vcpus.length > 0) return refuse('set-boot-cpu-id.too-late');
  const isAbove = vm.maxVcpuIds !== 0 && id > vm.maxVcpuIds;
  if (id > maxVcpuIds(kernel.profile.kvmMaxVcpus) || isAbove) {
    return refuse('set-boot-cpu-id.range');
  }
  vm.bootVcpuId = id;
  return done;
}
