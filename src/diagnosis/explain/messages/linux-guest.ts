/** What the kernel inside a TD prints of its start and of the exceptions of a TD. */
import type { Answer } from '../answer.ts';
import { messages } from './message.ts';

/** The guest hands it to the VMM, and QEMU prints it. */
const septVeNotDisabled: Answer = {
  id: 'guest.sept-ve-not-disabled',
  meaning:
    'the kernel of the TD refuses to run: the VMM left exceptions for unaccepted memory on (SEPT_VE_DISABLE is 0)',
  causes: ['the VMM was started with sept-ve-disable=off, or does not set the attribute'],
  next: 'set sept-ve-disable=on (QEMU: -object tdx-guest,sept-ve-disable=on, its default), or attribute bit 28',
};

const privateMemoryLost: Answer = {
  id: 'guest.private-memory-lost',
  meaning:
    'the kernel of the TD touched private memory that is not accepted, or was taken away, and panics',
  causes: [
    'the VMM took memory of the TD away, or replaced it (a balloon, a device, a bad MAPGPA)',
    'firmware and kernel disagree on which memory is accepted',
  ],
  next: 'look at the log of the host at that moment; leave out ballooning, and use firmware with lazy accept that the kernel knows',
};

const kernelDefect: Answer = {
  id: 'guest.exception-not-expected',
  meaning: 'the kernel of the TD got an exception (#VE) that it does not expect',
  causes: [
    'a driver touches a device or an instruction in a way that a TD does not allow',
    'a defect of this kernel of the guest',
  ],
  next: 'look at the call trace for the driver, and leave it out; use a newer kernel in the guest',
};

const healthy = { rank: 'healthy', next: 'nothing to do' } as const;

export const linuxGuest = messages(
  {
    by: 'Linux',
    place: 'guest',
    source: 'arch/x86/coco/tdx/tdx.c',
    releases: '5.19 and later',
  },
  [
    {
      says: 'tdx: Guest detected',
      mark: 'in-td',
      answer: {
        id: 'guest.in-td',
        rank: 'healthy',
        meaning: 'this is the log of the inside of a TD: its kernel found that it runs in one',
        next: 'nothing to do for TDX; look at the log of the host for what concerns the host',
      },
    },
    {
      says: [
        'Memory Encryption Features active: Intel TDX',
        'Memory Encryption is active: Intel TDX',
      ],
      source: 'arch/x86/mm/mem_encrypt.c',
      mark: 'in-td',
      answer: {
        ...healthy,
        id: 'guest.memory-encrypted',
        meaning: 'the kernel of the TD uses the memory encryption of TDX',
      },
    },
    { says: 'process: using TDX aware idle routine', mark: 'in-td', name: 'guest-idle' },
    {
      says: 'Detected confidential virtualization tdx',
      source: 'systemd, src/core/main.c',
      releases: 'systemd 254 and later',
      mark: 'in-td',
      answer: {
        ...healthy,
        id: 'guest.systemd-in-td',
        meaning: 'systemd found that it runs in a TD',
      },
    },
    {
      says: ['tdx: Attributes: {names}', 'tdx: TD_CTLS: {names}'],
      source: 'arch/x86/coco/tdx/debug.c',
      releases: '6.15 and later',
      mark: 'in-td',
      answer: {
        ...healthy,
        id: 'guest.attributes',
        meaning: 'the kernel of the TD says the attributes of its TD',
      },
      say: ({ names = '' }) =>
        /\bDEBUG\b/.test(names)
          ? {
              rank: 'note',
              meaning:
                'the TD is a debug TD: the host can read its memory, and no verifier should trust it',
              next: 'start it without the debug attribute outside of tests',
            }
          : {},
    },
    { says: 'TD misconfiguration: SEPT #VE has to be disabled', answer: septVeNotDisabled },
    {
      says: 'tdx: VMM did not configure X2APIC_IDs properly',
      releases: '6.13 and later',
      answer: {
        id: 'guest.topology-not-configured',
        rank: 'note',
        meaning:
          'the VMM gave the TD no topology, so the TD sees plain CPUs without cores and threads',
        next: 'nothing unless the topology is needed; a newer VMM sets the APIC ids of the vCPUs before it starts the TD',
      },
    },
    {
      says: ['TDVMCALL failed. TDX module bug?', 'TDCALL {leaf:int} failed (Buggy TDX module!)'],
      answer: {
        id: 'guest.module-call-failed',
        meaning:
          'the TDX module refused a call of the kernel of the TD that cannot fail, and it panics',
        causes: ['a defect of the TDX module of the host', 'a kernel that does not fit the module'],
        next: 'update the BIOS of the host, which brings the module; note its version: `tdctl host`',
      },
    },
    { says: 'Unexpected EPT-violation on private memory', answer: privateMemoryLost },
    {
      says: ['tdx: Unexpected #VE: {reason:int}', 'Unexpected #VE-type: {reason:int}'],
      answer: kernelDefect,
      say: ({ reason }) => ({
        meaning: `the kernel of the TD got an exception (#VE) for exit reason ${reason}, which it does not handle`,
      }),
    },
    {
      says: [
        've->instr_len is not defined for EPT violations',
        'Access to userspace address is not supported',
        'Unknown insn_decode_mmio() decode value?',
      ],
      answer: kernelDefect,
    },
    {
      says: ['HLT emulation with IRQs enabled', 'HLT instruction emulation failed'],
      answer: {
        id: 'guest.idle-not-emulated',
        meaning:
          'an idle vCPU of the TD could not be halted: the kernel then burns the CPU or hangs',
        causes: [
          'a driver or an idle= parameter halts the CPU by itself (cpuidle_haltpoll, idle=halt)',
        ],
        next: 'remove idle= from the kernel command line of the guest, and use Linux 6.15 or later in it',
      },
    },
    {
      says: [
        'tdx: Failed to stop shared<->private conversions',
        'tdx: Failed to unshare range {start:hex}-{end:hex}',
        'tdx: shared page accounting is off',
        'tdx: nr_shared = {shared:int}, nr_found = {found:int}',
      ],
      releases: '6.11 and later',
      answer: {
        id: 'guest.kexec-memory-shared',
        meaning:
          'before kexec, memory of the TD stayed shared: the next kernel may die when it touches it',
        causes: [
          'a device was still at work when the kernel was changed',
          'the VMM refused MAPGPA',
        ],
        next: 'stop devices before kexec (kexec -e after unbinding them), or reboot the TD instead',
      },
    },
    {
      says: 'unchecked MSR access error: {what}',
      source: 'arch/x86/mm/extable.c',
      inGuest: {
        id: 'guest.msr-not-given',
        rank: 'note',
        meaning: 'the kernel of the TD asked for a register (MSR) that a TD does not have',
        next: 'nothing, unless the driver that asked does not work: it is in the call trace',
      },
    },
    {
      says: ['VMX not supported by CPU {cpu:int}', 'kvm: no hardware support'],
      source: 'arch/x86/kvm/vmx/vmx.c',
      inGuest: {
        id: 'guest.no-vms-inside',
        rank: 'healthy',
        meaning: 'KVM does not work inside a TD, which is so in every TD',
        next: 'nothing to do',
      },
    },
  ],
);
