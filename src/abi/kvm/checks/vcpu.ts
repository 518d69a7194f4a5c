/** Small requests on a vCPU: how it waits, what it blocks, its machine checks and capabilities. */
import { checksIn, EFAULT, EINVAL, ENOTTY } from './check.ts';
import { unreadable, unwritable, vcpuChecks } from './common.ts';
import { flags } from './enable-cap.ts';
import { haveIrqchip } from './interrupts.ts';

const x86 = 'arch/x86/kvm/x86.c';

/** KVM_X86_GET_MCE_CAP_SUPPORTED on /dev/kvm. */
export const mceCapSupportedChecks = unwritable;

export const smallVcpuChecks = {
  KVM_GET_MP_STATE: { ...vcpuChecks, ...unwritable },
  KVM_SET_MP_STATE: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl_set_mpstate()`, {
      'set-mp-state.unknown': EINVAL(
        'x86 has no such state',
        'set one of RUNNABLE, UNINITIALIZED, INIT_RECEIVED, HALTED and AP_RESET_HOLD',
      ),
      'set-mp-state.no-lapic': EINVAL(
        'the state is not RUNNABLE, and the VM has no in-kernel irqchip to wake the vCPU',
        haveIrqchip,
      ),
    }),
  },
  KVM_SET_SIGNAL_MASK: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn('virt/kvm/kvm_main.c, kvm_vcpu_ioctl()', {
      'signal-mask.length': EINVAL(
        'len is not 8, the bytes of a set of signals',
        'pass 8 in len: sizeof(sigset_t) of the C library is larger',
      ),
      'signal-mask.set-unreadable': EFAULT(
        'the set of signals is unreadable',
        'pass the 8 bytes of the set right behind len',
      ),
    }),
  },
  KVM_X86_SETUP_MCE: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${x86}, kvm_vcpu_ioctl_x86_setup_mce()`, {
      'setup-mce.banks': EINVAL(
        'there is no bank, or there are more than 32',
        'name 1 to 32 banks in the low byte',
      ),
      'setup-mce.unsupported': EINVAL(
        'a capability that KVM does not have',
        'set only bits that KVM_X86_GET_MCE_CAP_SUPPORTED reports',
      ),
    }),
  },
  'KVM_ENABLE_CAP on a vCPU': {
    ...vcpuChecks,
    ...unreadable,
    ...flags,
    ...checksIn(`${x86}, kvm_vcpu_ioctl_enable_cap()`, {
      'enable-vcpu-cap.unknown': EINVAL(
        'a vCPU has no such capability',
        'enable it on the VM, or leave it out',
      ),
      'enable-vcpu-cap.synic2-argument': EINVAL(
        'the argument of KVM_CAP_HYPERV_SYNIC2 is not 0',
        'pass 0 in args',
      ),
      'enable-vcpu-cap.synic-no-irqchip': EINVAL(
        'the interrupt controller of Hyper-V is asked for, and the VM has no in-kernel irqchip',
        haveIrqchip,
      ),
      'enable-vcpu-cap.evmcs-nesting-off': ENOTTY(
        'KVM_CAP_HYPERV_ENLIGHTENED_VMCS is asked for, and KVM runs without nested virtualisation',
        'leave it out where KVM_CAP_NESTED_STATE is 0, or load kvm_intel with nested=1',
      ),
      'enable-vcpu-cap.evmcs-unwritable': EFAULT(
        'KVM_CAP_HYPERV_ENLIGHTENED_VMCS is asked for, and its first argument leads to nothing that can be written',
        'pass the address of a __u16, which gets the versions',
        { leaves: 'the capability is enabled' },
      ),
      'enable-vcpu-cap.direct-tlbflush': ENOTTY(
        'KVM_CAP_HYPERV_DIRECT_TLBFLUSH is asked for, and the host is no guest of Hyper-V',
        'enable it where KVM_CHECK_EXTENSION reports it',
      ),
    }),
  },
};
