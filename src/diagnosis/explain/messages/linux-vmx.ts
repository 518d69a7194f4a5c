/** What the kernel of the host prints where virtualisation (VMX), which the TDX module needs, is not on. */
import type { Answer } from '../answer.ts';
import { messages } from './message.ts';

/** IA32_FEAT_CTL: bit 0 locks it, bit 2 allows VMX outside SMX. */
function featureControl(value = ''): Partial<Answer> {
  const bits = Number.parseInt(value, 16);
  if ((bits & 0b101) !== 0b001) return {};
  return {
    meaning: 'the BIOS locked virtualisation (VMX) off: IA32_FEAT_CTL has bit 0 and not bit 2',
  };
}

export const linuxVmx = messages(
  {
    by: 'Linux',
    place: 'host',
    source: 'arch/x86/virt/hw.c; arch/x86/kvm/vmx/vmx.c before 7.3',
    releases: '5.8 and later',
  },
  [
    {
      says: [
        'SEAMCALL failed: CPU not in VMX operation',
        'SEAMCALL failed: CPU {cpu:int} is not in VMX operation',
      ],
      source: 'arch/x86/virt/vmx/tdx/tdx.c',
      releases: 'before 6.8, by patches of vendors',
      answer: {
        id: 'kernel.cpu-not-in-vmx',
        meaning: 'the kernel called the TDX module on a CPU where virtualisation (VMX) is not on',
        causes: [
          'TDX was started before kvm_intel had turned VMX on; patches of vendors do so at times',
        ],
        next: 'boot Linux 6.16 or later, or a newer kernel of the vendor',
      },
    },
    {
      says: "SEAM: CPU doesn't support EPT violation #VE",
      source: 'IntelLabs/kafl.linux',
      releases: 'kernels of kAFL',
      answer: {
        // IntelLabs/kafl.linux#19
        id: 'kernel.emulated-seam-unsupported',
        meaning:
          'this kernel plays the TDX module itself (kAFL), and the CPU lacks what it needs for it: exceptions for EPT violations',
        causes: ['the kernel runs in a VM, whose hypervisor does not pass the feature on'],
        next: 'run it on the bare machine; it gives no real TDs anywhere',
      },
    },
    {
      says: 'VMXON faulted, MSR_IA32_FEAT_CTL (0x3a) = {value:hex}',
      answer: {
        id: 'host.vmx-not-turned-on',
        meaning:
          'the CPU did not let the kernel turn virtualisation (VMX) on, without which no VM runs',
        causes: [
          'VT-x is off or locked in the BIOS',
          'the kernel runs in a VM whose hypervisor shows VMX and does not give it',
        ],
        next: 'switch on VT-x in the BIOS; in a VM, allow nested virtualisation on the host below',
      },
      say: ({ value }) => featureControl(value),
    },
  ],
);
