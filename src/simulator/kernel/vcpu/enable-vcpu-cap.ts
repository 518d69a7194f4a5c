/** KVM_ENABLE_CAP on a vCPU fd. Order: kvm_vcpu_ioctl_enable_cap() in arch/x86/kvm/x86.c, Linux 7.3. */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import type { Answer, EnableCapStruct, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Vcpu } from '../objects.ts';

/** Accepted without effect: they tell how a guest's own calls are answered. */
export function enableVcpuCap({ vm }: Vcpu, user: UserStruct<EnableCapStruct>): Answer {
  const cap = user.read();
  if (cap === undefined) return refuse('EFAULT');
  if (cap.flags !== 0) return refuse('EINVAL');
  switch (cap.cap) {
    case capabilities.KVM_CAP_HYPERV_SYNIC2:
      if ((cap.args[0] ?? 0n) !== 0n) return refuse('EINVAL');
      return vm.irqchip === 'none' ? refuse('EINVAL') : done;
    case capabilities.KVM_CAP_HYPERV_SYNIC:
      return vm.irqchip === 'none' ? refuse('EINVAL') : done;
    case capabilities.KVM_CAP_HYPERV_ENFORCE_CPUID:
    case capabilities.KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
      return done;
    default:
      return refuse('EINVAL');
  }
}
