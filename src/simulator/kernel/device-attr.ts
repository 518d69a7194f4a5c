/**
 * KVM_GET_DEVICE_ATTR, KVM_SET_DEVICE_ATTR and KVM_HAS_DEVICE_ATTR are modelled on arch/x86/kvm/x86.c.
 * Each of the two kinds of file has one attribute, and it has number 0 in group 0. On /dev/kvm it is
 * KVM_X86_XCOMP_GUEST_SUPP, the XCR0 that a guest may have whatever the process has permission for. On
 * a vCPU it is KVM_VCPU_TSC_OFFSET of KVM_VCPU_TSC_CTRL, the vCPU's offset to the host's TSC.
 */
import type { Answer, DeviceAttrRequest, DeviceAttrStruct, UserStruct } from '../interface.ts';
import { done } from './answer.ts';
import { CopiedIn, firstRefusal, type Steps } from './checks.ts';
import { supportedFeatures } from './cpuid/cpu-caps.ts';
import type { Kernel } from './kernel.ts';
import type { Vcpu } from './objects.ts';
import { setTscOffset } from './vcpu/guest-tsc.ts';

interface AttrCall {
  readonly attr: CopiedIn<DeviceAttrStruct>;
  /** Current value of the attribute. */
  readonly present: bigint;
  readonly user: UserStruct<bigint>;
  readonly written: CopiedIn<bigint>;
}

const steps: Steps<AttrCall> = {
  'argument.unreadable': ({ attr }) => attr.fails(),
  'device-attr.unknown': ({ attr: { value } }) => value.group !== 0 || value.attr !== 0n,
  'device-attr.value-unwritable': ({ user, present }) => !user.write(present),
  'device-attr.value-unreadable': ({ written }) => written.fails(),
};

export function systemDeviceAttr(
  kernel: Kernel,
  request: 'KVM_GET_DEVICE_ATTR' | 'KVM_HAS_DEVICE_ATTR',
  asked: DeviceAttrRequest,
): Answer {
  const call = attrCall(asked, supportedFeatures(kernel.profile.platform).xcr0);
  return firstRefusal(kernel, `${request} on /dev/kvm`, { steps, call }) ?? done;
}

export function vcpuDeviceAttr(kernel: Kernel, vcpu: Vcpu, asked: DeviceAttrRequest): Answer {
  const { request } = asked;
  const call = attrCall(asked, vcpu.tscOffset);
  const refused = firstRefusal(kernel, request, { steps, call });
  if (refused !== undefined) return refused;
  if (request === 'KVM_SET_DEVICE_ATTR') setTscOffset(kernel, vcpu, call.written.value);
  return done;
}

function attrCall({ attr, value }: DeviceAttrRequest, present: bigint): AttrCall {
  return {
    attr: new CopiedIn(() => attr.read()),
    present,
    user: value,
    written: new CopiedIn(() => value.read()),
  };
}
