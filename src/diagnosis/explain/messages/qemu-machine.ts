/** What QEMU says of a machine, a CPU and a guest that TDX does not allow. */
import type { Answer } from '../answer.ts';
import { explainStatus } from '../status/explain-status.ts';
import { messages } from './message.ts';

const machine: Answer = {
  id: 'vmm.machine-not-for-tdx',
  meaning: 'the machine that QEMU was asked for has a part that a TD cannot have',
  next: 'use -machine q35,kernel_irqchip=split,smm=off,pic=off,confidential-guest-support=tdx0',
};

const guestPanicked: Answer = {
  id: 'guest.reported-fatal-error',
  rank: 'effect',
  meaning:
    'the TD gave up by itself and told the VMM so: the cause is in the message, or in its own console',
  causes: ['the firmware or the kernel of the guest panicked'],
  next: 'read the message and the serial console of the TD, and explain them',
};

const notEntered: Answer = {
  id: 'vmm.vcpu-not-entered',
  rank: 'note',
  meaning: 'the CPU refused to run a vCPU; a number this short is none of the TDX module',
  next: 'nothing for TDX: the VM is no TD',
};

const cpuidLimit: Answer = {
  id: 'vmm.cpuid-entries',
  meaning: 'kernel and QEMU disagree on how many CPUID entries a TD has: QEMU gives up',
  causes: ['a kernel that is much newer than QEMU, or patched'],
  next: 'use QEMU and kernel of one time: QEMU 10.1 with Linux 6.16, or both newer',
};

export const qemuMachine = messages(
  { by: 'QEMU', place: 'host', source: 'target/i386/kvm/tdx.c', releases: '10.1 and later' },
  [
    {
      says: "TDX VM doesn't support SMM",
      answer: {
        ...machine,
        id: 'vmm.smm-not-for-tdx',
        meaning: 'a TD cannot have SMM, and the machine has it',
        next: 'use -machine q35,smm=off, and firmware that does not need SMM',
      },
    },
    {
      says: "TDX VM doesn't support PIC",
      answer: {
        ...machine,
        id: 'vmm.pic-not-for-tdx',
        meaning: 'a TD cannot have the old interrupt controller (PIC), and the machine has it',
        next: 'use -machine q35,pic=off',
      },
    },
    {
      says: 'TDX VM requires kernel_irqchip to be split',
      answer: {
        ...machine,
        id: 'vmm.irqchip-not-split',
        meaning: 'a TD needs kernel_irqchip=split: its IOAPIC is in QEMU',
        next: 'use -machine q35,kernel_irqchip=split',
      },
    },
    {
      says: 'Named cpu model is not supported for TDX yet!',
      answer: {
        id: 'vmm.named-cpu-model',
        meaning: 'a TD gets the CPU of the host: named models are not for TDs',
        next: 'use -cpu host',
      },
    },
    {
      says: [
        'KVM TDX seems broken that number of CPUID entries in kvm_tdx_capabilities exceeds limit: {limit:int}',
        'tdx_supported_cpuid requries more space than {limit:int} entries',
      ],
      answer: cpuidLimit,
    },
    {
      says: 'KVM_HC_MAP_GPA_RANGE not enabled for guest',
      answer: {
        id: 'vmm.map-gpa-not-enabled',
        meaning:
          'KVM does not hand requests of the TD to share memory to QEMU, so no device would work',
        causes: ['the kernel does not have KVM_CAP_EXIT_HYPERCALL for TDs: it is older than 6.16'],
        next: 'use Linux 6.16 or later on the host',
      },
    },
    {
      says: 'Unable to set core crystal clock frequency to 25MHz: {reason}',
      answer: {
        id: 'vmm.apic-clock',
        meaning: 'KVM did not take the APIC clock that every TD has (25 MHz)',
        causes: ['vCPUs were made before it was set', 'the kernel is older than 6.16'],
        next: 'use Linux 6.16 or later, and QEMU 10.1 or later',
      },
    },
    {
      says: 'Unable to set TSC frequency to {khz:int} kHz: {reason}',
      answer: {
        id: 'vmm.tsc-not-taken',
        meaning: 'KVM did not take the TSC frequency that QEMU asked for',
        causes: ['it is above that of the host, and the CPU cannot scale it'],
        next: 'leave tsc-freq out: the TD then has that of the host',
      },
    },
    {
      says: 'TDX: injection interrupt {vector:int} failed, interrupt lost ({reason}).',
      answer: {
        id: 'attestation.interrupt-lost',
        meaning:
          'QEMU could not tell the TD by interrupt that its quote is there; the guest sees it when it looks',
        causes: ['the vector that the guest asked for is not valid, or its vCPU is gone'],
        next: 'nothing if the quote arrives; else update the kernel of the guest',
      },
    },
    {
      says: 'TDX: REPORT_FATAL_ERROR: invalid error code: 0x{code:hex}',
      answer: {
        ...guestPanicked,
        meaning:
          'the TD gave up by itself, with an error code that the interface (GHCI) does not know',
      },
    },
    {
      says: ['TDX guest reports fatal error{rest}', 'TD guest reports fatal error{rest}'],
      source: 'system/runstate.c',
      answer: guestPanicked,
      say: ({ rest = '' }) => {
        const words = /error message:"([^"]+)"/.exec(rest)?.[1];
        if (words === undefined) return {};
        return { meaning: `the TD gave up by itself, and told the VMM: ${words}` };
      },
    },
    {
      says: 'KVM: unknown exit, hardware reason {reason:hex}',
      source: 'accel/kvm/kvm-all.c, target/i386/kvm/kvm.c',
      releases: 'any',
      answer: {
        // canonical/tdx#348
        id: 'vmm.exit-not-known',
        meaning:
          'a vCPU left the guest for a reason that KVM does not handle, and QEMU stopped the VM',
        causes: [
          'the TDX module is older than the kernel expects, where the VM is a TD',
          'a defect of the kernel of the host',
        ],
        next: 'look at the kernel log of the host at that moment; update the BIOS, which brings the TDX module: 1.5.06 or later',
      },
    },
    {
      says: 'warning: Unknown start 0x{start:hex} size 0x{size:hex} shared_to_private {way:int}',
      releases: 'of vendors, before 10.1',
      answer: {
        // intel/tdx-tools#540
        id: 'vmm.conversion-outside-memory',
        rank: 'note',
        meaning:
          'the TD asked QEMU to convert a page that is no memory of it: mostly that of a device that was passed through',
        next: 'nothing unless the TD ends after it; then look at the driver that was being loaded in the guest',
      },
    },
    {
      says: 'KVM: entry failed, hardware error 0x{word:hex}',
      source: 'accel/kvm/kvm-all.c, target/i386/kvm/kvm.c',
      releases: 'any',
      answer: notEntered,
      say: ({ word = '' }) => (word.replace(/^0x/i, '').length === 16 ? notEnteredBy(word) : {}),
    },
  ],
);

/** Of a TD, KVM hands the status of TDH.VP.ENTER on; of a plain VM, the exit reason, which is short. */
function notEnteredBy(word: string): Partial<Answer> {
  const { decoded, answer } = explainStatus(BigInt(`0x${word.replace(/^0x/i, '')}`));
  const name = decoded.name ?? word;
  return {
    rank: 'cause',
    meaning: `the TDX module refused to run a vCPU of the TD: ${name}${answer ? `, ${answer.meaning}` : ''}`,
    ...(answer?.causes && { causes: answer.causes }),
    next: answer?.next ?? 'look for a SEAMCALL line in the kernel log of the host',
  };
}
