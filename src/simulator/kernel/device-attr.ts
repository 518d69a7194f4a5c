/**
 * KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR and KVM_HAS_DEVICE_ATTR, on /dev/kvm and on a vCPU. Order:
 * arch/x86/kvm/x86.c, Linux 7.3.
 */
import { xcr0Of } from '../../abi/tdx/xfam.ts';
import type { Answer, DeviceAttrRequest } from '../interface.ts';
import { done, type Refusal, refuse } from './answer.ts';
import type { Kernel } from './kernel.ts';
import type { Vcpu } from './objects.ts';

/** Of group 0 on /dev/kvm: XCR0 as a guest may have it, whatever the process has permission for. */
const KVM_X86_XCOMP_GUEST_SUPP = 0n;
/** Of a vCPU: its offset to the host's TSC. */
const KVM_VCPU_TSC_CTRL = 0;
const KVM_VCPU_TSC_OFFSET = 0n;

export function systemDeviceAttr(
  kernel: Kernel,
  { request, attr, value }: DeviceAttrRequest,
): Answer {
  const asked = attr.read();
  if (asked === undefined) return refuse('EFAULT');
  if (asked.group !== 0 || asked.attr !== KVM_X86_XCOMP_GUEST_SUPP) return refuse('ENXIO');
  if (request === 'KVM_HAS_DEVICE_ATTR') return done;
  return value.write(xcr0Of(kernel.profile.platform.xfam)) ? done : refuse('EFAULT');
}

export function vcpuDeviceAttr(vcpu: Vcpu, { request, attr, value }: DeviceAttrRequest): Answer {
  const asked = attr.read();
  if (asked === undefined) return refuse('EFAULT');
  if (asked.group !== KVM_VCPU_TSC_CTRL || asked.attr !== KVM_VCPU_TSC_OFFSET) {
    return refuse('ENXIO');
  }
  switch (request) {
    case 'KVM_HAS_DEVICE_ATTR':
      return done;
    case 'KVM_GET_DEVICE_ATTR':
      return value.write(vcpu.tscOffset) ? done : refuse('EFAULT');
    case 'KVM_SET_DEVICE_ATTR':
      return setTscOffset(vcpu, value.read());
  }
}

function setTscOffset(vcpu: Vcpu, offset: bigint | undefined): Answer | Refusal {
  if (offset === undefined) return refuse('EFAULT');
  // The module has fixed a TD's: KVM takes the value, and it has no effect.
  if (vcpu.td === undefined) vcpu.tscOffset = offset;
  return done;
}
