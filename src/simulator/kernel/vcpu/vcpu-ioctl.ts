/** These are the ioctls of a vCPU fd. */
import type { Answer, Caller, Request } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { vcpuDeviceAttr } from '../device-attr.ts';
import { injectInterrupt, injectNmi, injectSmi } from '../interrupts/inject.ts';
import { setVapicAddr, tprAccessReporting } from '../interrupts/vapic.ts';
import type { Kernel } from '../kernel.ts';
import { preFaultMemory } from '../memory/pre-fault-memory.ts';
import { getMsrs, setMsrs } from '../msrs/msr-io.ts';
import type { Vcpu } from '../objects.ts';
import { getStatsFd } from '../stats-fd.ts';
import { isTdxCommand } from '../tdx/command.ts';
import { tdxVcpuCommand } from '../tdx/vcpu-command.ts';
import { kvmclockCtrl } from '../vm/clock.ts';
import { getTscKhz, setVcpuTscKhz } from '../vm/tsc.ts';
import { getCpuid2, setCpuid2 } from './cpuid.ts';
import { enableVcpuCap } from './enable-vcpu-cap.ts';
import { setupMce } from './machine-check.ts';
import { getMpState, setMpState } from './mp-state.ts';
import { setSignalMask } from './signal-mask.ts';
import { isStateRequest, vcpuState } from './vcpu-state.ts';

export function vcpuIoctl(kernel: Kernel, caller: Caller, vcpu: Vcpu, request: Request): Answer {
  if (caller.mm !== vcpu.vm.mm) return refuse('vm.other-process');
  if (vcpu.vm.dead) return refuse('vm.dead');
  if (isTdxCommand(request)) return tdxVcpuCommand(kernel, caller, vcpu, request);
  // Nothing waits for vcpu->mutex here: a call that comes while KVM_RUN has it is taken to be killed.
  if (vcpu.run !== undefined) return refuse('vcpu.busy');
  if (isStateRequest(request)) return vcpuState(kernel, vcpu, request);
  switch (request.request) {
    case 'KVM_PRE_FAULT_MEMORY':
      return preFaultMemory(kernel, caller, vcpu, request.range);
    case 'KVM_SET_CPUID2':
      return setCpuid2(kernel, vcpu, request.cpuid);
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
      return enableVcpuCap(kernel, vcpu, request.cap);
    case 'KVM_GET_DEVICE_ATTR':
    case 'KVM_SET_DEVICE_ATTR':
    case 'KVM_HAS_DEVICE_ATTR':
      return vcpuDeviceAttr(kernel, vcpu, request);
    case 'KVM_GET_STATS_FD':
      return getStatsFd(kernel, caller, vcpu.vm);
    default:
      return refuse('request.unknown');
  }
}
