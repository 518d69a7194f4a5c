/** These are the ioctls of a vCPU fd. */
import type { Answer, Caller, Request } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { vcpuDeviceAttr } from '../device-attr.ts';
import { injectInterrupt, injectNmi, injectSmi } from '../interrupts/inject.ts';
import { setVapicAddr, tprAccessReporting } from '../interrupts/vapic.ts';
import type { Kernel } from '../kernel.ts';
import { blocked, resumable } from '../locks.ts';
import { preFaultMemory } from '../memory/pre-fault-memory.ts';
import { getMsrs, setMsrs } from '../msrs/msr-io.ts';
import type { Vcpu } from '../objects.ts';
import { getStatsFd } from '../stats-fd.ts';
import { isTdxCommand } from '../tdx/command.ts';
import { tdxVcpuCommand } from '../tdx/vcpu-command.ts';
import { kvmclockCtrl } from '../vm/clock.ts';
import { getTscKhz, setVcpuTscKhz } from '../vm/tsc.ts';
import { refusedAtEntry } from '../vm/vm.ts';
import { getCpuid2, setCpuid } from './cpuid.ts';
import { enableVcpuCap } from './enable-vcpu-cap.ts';
import { getSupportedHypervCpuid } from './hyperv-cpuid.ts';
import { setMce, setupMce } from './machine-check.ts';
import { getMpState, setMpState } from './mp-state.ts';
import { getRegList, oneReg } from './one-reg.ts';
import { setSignalMask } from './signal-mask.ts';
import { translate } from './translate.ts';
import { isStateRequest, vcpuState } from './vcpu-state.ts';
import { xenVcpuAttr } from './xen-vcpu.ts';

export function vcpuIoctl(kernel: Kernel, caller: Caller, vcpu: Vcpu, request: Request): Answer {
  const refused = refusedAtEntry(caller, vcpu.vm);
  if (refused !== undefined) return refused;
  if (isTdxCommand(request)) return tdxVcpuCommand(kernel, caller, vcpu, request);
  return resumable(
    () => blocked(kernel, [vcpu.mutex], 'vcpu.busy') ?? underMutex(kernel, caller, vcpu, request),
  );
}

function underMutex(kernel: Kernel, caller: Caller, vcpu: Vcpu, request: Request): Answer {
  if (isStateRequest(request)) return vcpuState(kernel, vcpu, request);
  switch (request.request) {
    case 'KVM_PRE_FAULT_MEMORY':
      return preFaultMemory(kernel, caller, vcpu, request.range);
    case 'KVM_SET_CPUID':
    case 'KVM_SET_CPUID2':
      return setCpuid(kernel, vcpu, request.cpuid, request.request);
    case 'KVM_GET_CPUID2':
      return getCpuid2(kernel, vcpu, request.cpuid);
    case 'KVM_GET_MSRS':
      return getMsrs(kernel, vcpu, request.msrs);
    case 'KVM_SET_MSRS':
      return setMsrs(kernel, vcpu, request.msrs);
    case 'KVM_SET_TSC_KHZ':
      return setVcpuTscKhz(kernel, vcpu, request.tscKhz);
    case 'KVM_GET_TSC_KHZ':
      return getTscKhz(vcpu);
    case 'KVM_KVMCLOCK_CTRL':
      return kvmclockCtrl(vcpu);
    case 'KVM_GET_MP_STATE':
      return getMpState(kernel, vcpu, request.mpState);
    case 'KVM_SET_MP_STATE':
      return setMpState(kernel, vcpu, request.mpState);
    case 'KVM_GET_SUPPORTED_HV_CPUID':
      return getSupportedHypervCpuid(kernel, vcpu, request.cpuid);
    case 'KVM_TRANSLATE':
      return translate(kernel, caller, vcpu, request.struct);
    case 'KVM_GET_ONE_REG':
    case 'KVM_SET_ONE_REG':
      return oneReg(kernel, vcpu, request.request, request);
    case 'KVM_GET_REG_LIST':
      return getRegList(kernel, vcpu, request.struct);
    case 'KVM_XEN_VCPU_GET_ATTR':
    case 'KVM_XEN_VCPU_SET_ATTR':
      return xenVcpuAttr(kernel, caller, vcpu, request.request, request.struct);
    case 'KVM_X86_SET_MCE':
      return setMce(kernel, vcpu, request.struct);
    case 'KVM_X86_SETUP_MCE':
      return setupMce(kernel, vcpu, request.mcgCap);
    case 'KVM_TPR_ACCESS_REPORTING':
      return tprAccessReporting(kernel, request.control);
    case 'KVM_SET_VAPIC_ADDR':
      return setVapicAddr(kernel, vcpu, request.address);
    case 'KVM_SET_SIGNAL_MASK':
      return setSignalMask(kernel, vcpu, request.mask);
    case 'KVM_NMI':
      return injectNmi(vcpu);
    case 'KVM_SMI':
      return injectSmi(kernel, vcpu);
    case 'KVM_INTERRUPT':
      return injectInterrupt(kernel, vcpu, request.vector);
    case 'KVM_ENABLE_CAP':
      return enableVcpuCap(kernel, vcpu, request);
    case 'KVM_GET_DEVICE_ATTR':
    case 'KVM_SET_DEVICE_ATTR':
    case 'KVM_HAS_DEVICE_ATTR':
      return vcpuDeviceAttr(kernel, vcpu, request);
    case 'KVM_GET_STATS_FD':
      return getStatsFd(kernel, caller, { vm: vcpu.vm, vcpu });
    default:
      return refuse('request.unknown');
  }
}
