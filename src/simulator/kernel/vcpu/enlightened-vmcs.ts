/** The VMCS that Hyper-V shares with KVM beneath it: nested_get_evmcs_version() in arch/x86/kvm/vmx/hyperv.c. */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { checkExtension } from '../system/check-extension.ts';

/** The highest version in the upper byte, and the lowest in the lower. */
const versions = 0x101;

/** kvm_nested_ops.enabled: the module parameter `nested`. */
export function isNestedOn(kernel: Kernel, vcpu: Vcpu | undefined): boolean {
  return checkExtension(kernel, capabilities.KVM_CAP_NESTED_STATE, vcpu?.vm) !== 0;
}

/** @param vcpu undefined on /dev/kvm, which tells what a vCPU can have. */
export function evmcsVersions(kernel: Kernel, vcpu: Vcpu | undefined): number {
  const isOn = vcpu === undefined || vcpu.evmcsEnabled;
  return isOn && isNestedOn(kernel, vcpu) ? versions : 0;
}
