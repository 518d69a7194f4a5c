/** KVM_ENABLE_CAP on a vCPU fd follows kvm_vcpu_ioctl_enable_cap() in arch/x86/kvm/x86.c. */
import { capabilities } from '../../../abi/kvm/capabilities.ts';
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Answer, EnableCapStruct, UserBytes, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { evmcsVersions, isNestedOn } from './enlightened-vmcs.ts';

interface EnableVcpuCap {
  readonly cap: UserStruct<EnableCapStruct>;
  readonly pointee?: UserBytes;
}

interface VcpuCapCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly cap: CopiedIn<EnableCapStruct>;
  readonly pointee: UserBytes | undefined;
}

const synic: readonly number[] = [
  capabilities.KVM_CAP_HYPERV_SYNIC,
  capabilities.KVM_CAP_HYPERV_SYNIC2,
];
/** KVM_CHECK_EXTENSION announces it on a guest of Hyper-V alone. */
const KVM_CAP_HYPERV_DIRECT_TLBFLUSH = 175;
/** HV_SYNIC_CONTROL_ENABLE */
const synicEnabled = 1n;

const known: readonly number[] = [
  ...synic,
  capabilities.KVM_CAP_HYPERV_ENLIGHTENED_VMCS,
  KVM_CAP_HYPERV_DIRECT_TLBFLUSH,
  capabilities.KVM_CAP_HYPERV_ENFORCE_CPUID,
  capabilities.KVM_CAP_ENFORCE_PV_FEATURE_CPUID,
];

const steps: Steps<VcpuCapCall> = {
  'argument.unreadable': ({ cap }) => cap.fails(),
  'enable-cap.flags': ({ cap }) => cap.value.flags !== 0,
  'enable-vcpu-cap.unknown': ({ cap }) => !known.includes(cap.value.cap),
  'enable-vcpu-cap.synic2-argument': ({ cap: { value } }) =>
    value.cap === capabilities.KVM_CAP_HYPERV_SYNIC2 && (value.args[0] ?? 0n) !== 0n,
  'enable-vcpu-cap.synic-no-irqchip': ({ vcpu, cap }) =>
    synic.includes(cap.value.cap) && vcpu.vm.irqchip === 'none',
  'enable-vcpu-cap.evmcs-nesting-off': (call) =>
    isEvmcs(call) && !isNestedOn(call.kernel, call.vcpu),
  'enable-vcpu-cap.evmcs-unwritable': (call) => {
    if (!isEvmcs(call)) return false;
    const { kernel, vcpu, pointee } = call;
    vcpu.evmcsEnabled = true;
    const version = new Uint8Array(Uint16Array.of(evmcsVersions(kernel, vcpu)).buffer);
    return pointee?.write(version) === false;
  },
  'enable-vcpu-cap.direct-tlbflush': ({ cap }) => cap.value.cap === KVM_CAP_HYPERV_DIRECT_TLBFLUSH,
};

function isEvmcs({ cap }: VcpuCapCall): boolean {
  return cap.value.cap === capabilities.KVM_CAP_HYPERV_ENLIGHTENED_VMCS;
}

/** KVM_CAP_HYPERV_ENFORCE_CPUID has no effect here: it changes how a guest's own calls are answered. */
export function enableVcpuCap(
  kernel: Kernel,
  vcpu: Vcpu,
  { cap: user, pointee }: EnableVcpuCap,
): Answer {
  const call = { kernel, vcpu, cap: new CopiedIn(() => user.read()), pointee };
  const refused = firstRefusal(kernel, 'KVM_ENABLE_CAP on a vCPU', { steps, call });
  if (refused !== undefined) return refused;
  const { cap, args } = call.cap.value;
  if (synic.includes(cap)) {
    vcpu.synicActive = true;
    vcpu.msrs.set(msr.HV_SCONTROL, synicEnabled);
  }
  if (cap === capabilities.KVM_CAP_ENFORCE_PV_FEATURE_CPUID) {
    vcpu.enforcesPvCpuid = (args[0] ?? 0n) !== 0n;
  }
  return done;
}
