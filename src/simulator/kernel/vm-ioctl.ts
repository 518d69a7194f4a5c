/** ioctls of a VM fd. */
import type { Answer, Caller, Request } from '../interface.ts';
import { done, ok, refuse } from './answer.ts';
import { checkExtension } from './check-extension.ts';
import { createVcpu } from './create-vcpu.ts';
import { enableCap } from './enable-cap.ts';
import { ioeventfd, irqfd } from './eventfds.ts';
import { createGuestMemfd, linkGuestMemfd } from './guest-memfd.ts';
import { faultAt, type Kernel } from './kernel.ts';
import { maxGuestTscKhz, maxVcpuIds } from './limits.ts';
import { setMemoryAttributes } from './memory-attributes.ts';
import { setUserMemoryRegion } from './memslots.ts';
import { tdxVmCommand } from './tdx/vm-command.ts';
import type { Vm } from './vm.ts';

export function vmIoctl(kernel: Kernel, caller: Caller, vm: Vm, request: Request): Answer {
  // G1
  if (caller.mm !== vm.mm || vm.dead) return refuse('EIO');
  switch (request.request) {
    case 'KVM_CHECK_EXTENSION':
      return ok(checkExtension(kernel, request.capability, vm));
    case 'KVM_ENABLE_CAP':
      return enableCap(kernel, caller, vm, request.cap);
    case 'KVM_CREATE_IRQCHIP':
      return createIrqchip(kernel, vm);
    case 'KVM_CREATE_VCPU':
      return createVcpu(kernel, vm, request.id);
    case 'KVM_SET_BOOT_CPU_ID':
      return setBootCpuId(kernel, vm, request.id);
    case 'KVM_SET_TSC_KHZ':
      return setTscKhz(kernel, vm, request.tscKhz);
    case 'KVM_SET_USER_MEMORY_REGION':
    case 'KVM_SET_USER_MEMORY_REGION2':
      return setUserMemoryRegion(kernel, vm, request.request, request.region);
    case 'KVM_CREATE_GUEST_MEMFD':
      return createGuestMemfd(kernel, vm, request.create);
    case 'KVM_LINK_GUEST_MEMFD':
      return linkGuestMemfd(kernel, vm, request.link);
    case 'KVM_IRQFD':
      return irqfd(kernel, vm, request.irqfd);
    case 'KVM_IOEVENTFD':
      return ioeventfd(kernel, vm, request.ioeventfd);
    case 'KVM_SET_MEMORY_ATTRIBUTES':
      return setMemoryAttributes(kernel, vm, request.attributes);
    case 'KVM_MEMORY_ENCRYPT_OP':
    case 'KVM_TDX_CAPABILITIES':
    case 'KVM_TDX_INIT_VM':
    case 'KVM_TDX_INIT_VCPU':
    case 'KVM_TDX_INIT_MEM_REGION':
    case 'KVM_TDX_FINALIZE_VM':
    case 'KVM_TDX_GET_CPUID':
    case 'KVM_TDX_TERMINATE_VM':
      return tdxVmCommand(kernel, caller, vm, request);
    default:
      return refuse('ENOTTY');
  }
}

/** A TD's end-of-interrupt is protected, so it cannot have the I/O APIC in the kernel. */
function createIrqchip(kernel: Kernel, vm: Vm): Answer {
  if (vm.irqchip !== 'none') return refuse('EEXIST');
  if (vm.isTd) return refuse('ENOTTY');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  const fault = faultAt(kernel, 'KVM_CREATE_IRQCHIP: allocate');
  if (fault !== undefined) return fault;
  vm.irqchip = 'kernel';
  return done;
}

/** kernel-abi 1.1 */
function setBootCpuId(kernel: Kernel, vm: Vm, id: number): Answer {
  if (vm.vcpus.length > 0) return refuse('EBUSY');
  if (id > maxVcpuIds(kernel.profile.kvmMaxVcpus)) return refuse('EINVAL');
  if (vm.maxVcpuIds !== 0 && id > vm.maxVcpuIds) return refuse('EINVAL');
  vm.bootVcpuId = id;
  return done;
}

/** kernel-abi 2.5: no look at the TD's state; without effect on a TD that is initialised. */
function setTscKhz(kernel: Kernel, vm: Vm, tscKhz: number): Answer {
  const { platform } = kernel.profile;
  if (platform.features.tscScaling && tscKhz >= maxGuestTscKhz) return refuse('EINVAL');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  vm.tscKhz = tscKhz === 0 ? platform.tscKhz : tscKhz;
  return done;
}
