/** What KVM prints of TDX in the kernel log of the host. */
import { messages } from './message.ts';

export const linuxKvm = messages(
  {
    by: 'KVM',
    place: 'host',
    source: 'arch/x86/kvm/vmx/tdx.c',
    releases: 'Linux 6.16 and later, and vendor kernels with TDX',
  },
  [
    {
      says: [
        'MAX_VCPU_PER_TD ({module:int}) smaller than number of logical CPUs ({cpus:int})',
        'MAX_VCPUS_PER_TD ({module:int}) smaller than number of logical CPUs ({cpus:int})',
      ],
      answer: {
        id: 'kvm.cpus-above-module-limit',
        meaning: 'KVM leaves TDX off: the host has more CPUs than the TDX module gives one TD',
        next: 'update the BIOS for a newer module, or switch off hyper-threading or CPUs in the BIOS',
      },
      say: ({ module, cpus }) => ({
        meaning:
          `KVM leaves TDX off: the host has ${cpus} CPUs, and the TDX module gives one TD at most ` +
          `${module} vCPUs`,
      }),
    },
    {
      says: 'HKID {hkid:int} is leaked',
      answer: {
        id: 'kvm.key-slot-leaked',
        meaning:
          'a key slot (HKID) is lost until the host reboots: the teardown of a TD failed half-way',
        causes: [
          'a call to the TDX module failed in the teardown; the SEAMCALL line before says which',
          'a package had no online CPU while the TD ended',
        ],
        next: 'look at the SEAMCALL line before it; plan a reboot once slots run short (`tdctl host`)',
      },
      say: ({ hkid }) => ({
        meaning: `key slot HKID ${hkid} is lost until the host reboots: the teardown of its TD failed half-way`,
      }),
    },
    {
      says: 'All packages need to have online CPU to create TD',
      answer: {
        id: 'host.package-offline',
        meaning: 'no TD can be built: a CPU package of the host has no online CPU',
        causes: [
          'CPUs were taken offline to save power, or by maxcpus= on the kernel command line',
        ],
        next: 'bring one CPU of every package online: `echo 1 > /sys/devices/system/cpu/cpuN/online`',
      },
    },
    {
      says: 'TDX requires all packages to have an online CPU',
      answer: {
        id: 'host.cpu-offline-refused',
        meaning: 'the last CPU of a package cannot be taken offline while a TD exists',
        causes: ['TDs run, are being torn down, or have leaked their key slots'],
        next: 'end all TDs first; `tdctl host` shows how many key slots are in use',
      },
    },
    {
      says: 'no TDX private KeyIDs available',
      releases: '6.16 and later; 7.3 says "TDX not supported by the host platform" instead',
      answer: {
        id: 'kvm.no-key-ids',
        meaning: 'KVM finds TDX off in the kernel: BIOS, CPU or an earlier refusal of the kernel',
        causes: [
          'TDX or its key split is off in the BIOS',
          'the kernel refused TDX before (hibernation, too few keys): that line comes earlier',
          'the CPU has no TDX',
        ],
        next: 'look for an earlier "tdx:" line; run `tdctl doctor`',
      },
    },
    {
      says: ['TDX requires TDP MMU. Please enable TDP MMU for TDX.', 'TDP MMU is required for TDX'],
      answer: {
        // canonical/tdx#285
        id: 'kvm.tdp-mmu-off',
        meaning: 'KVM makes no TD: its TDP MMU is off, and TDX works with it only',
        causes: ['kvm.tdp_mmu=N on the kernel command line or in /etc/modprobe.d'],
        next: 'set kvm.tdp_mmu=Y (`cat /sys/module/kvm/parameters/tdp_mmu` shows it), and reload kvm',
      },
    },
    {
      says: [
        'EPT is required for TDX',
        'TDP MMU and MMIO caching and EPT A/D bit is required for TDX',
        'TDP MMU and MMIO caching is required for TDX',
        'APICv is required for TDX',
        'OSXSAVE is required for TDX',
        'XSAVE is required for TDX',
        'MOVDIR64B is required for TDX',
        'Self-snoop is required for TDX',
      ],
      answer: {
        id: 'kvm.feature-missing',
        meaning: 'TDX is left off: it needs a feature of the CPU or of KVM that is off',
        causes: [
          'a parameter of kvm or kvm_intel switches it off (ept, enable_apicv, mmio_caching, tdp_mmu)',
          'the BIOS or the hypervisor below hides it',
        ],
        next: 'remove the parameter from /etc/modprobe.d and the kernel command line, and reload kvm_intel',
      },
    },
    {
      says: 'tdx requires kvm.enable_virt_at_load=1',
      releases: '6.16 and later; 7.3 needs it no more',
      answer: {
        id: 'kvm.virt-at-load-off',
        meaning: 'KVM leaves TDX off: kvm.enable_virt_at_load is 0',
        next: 'remove kvm.enable_virt_at_load=0 from the parameters, and reload kvm',
      },
    },
    {
      // The same words behind `virt/tdx: ` are of the kernel itself, which prints them everywhere.
      says: [
        'kvm_intel: TDX not supported by the host platform',
        'TDX not supported by the host platform',
      ],
      releases: 'by 7.3',
      answer: {
        id: 'kvm.no-tdx-platform',
        meaning:
          'KVM was asked for TDX (kvm_intel.tdx=1), and the kernel found no TDX on this machine at its start',
        causes: [
          'TDX or its key split is off in the BIOS',
          'the kernel refused TDX before (hibernation, too few keys): that line comes earlier',
          'the CPU has no TDX, or the kernel runs in a VM',
        ],
        next: 'look for an earlier "tdx:" line; run `tdctl doctor`',
      },
    },
    {
      says: 'Guest access before accepting {gpa:hex} on vCPU {vcpu:int}',
      answer: {
        id: 'kvm.access-before-accept',
        meaning:
          'the TD used private memory before it had accepted it, and KVM gave the TD up: every request to it ' +
          'answers EIO from then on',
        causes: [
          'the guest kernel or firmware has no support for unaccepted memory (CONFIG_UNACCEPTED_MEMORY)',
          'a bug in the guest, such as a kexec into a kernel that does not know what was accepted',
        ],
        next: 'use a guest kernel 6.5 or later with CONFIG_UNACCEPTED_MEMORY=y, or firmware that accepts all memory',
      },
      say: ({ gpa, vcpu }) => ({
        meaning:
          `vCPU ${vcpu} of the TD used its private memory at ${gpa} before it had accepted it, and KVM gave ` +
          'the TD up: every request to it answers EIO from then on',
      }),
    },
    {
      says: "MSR {msr:hex} isn't included by kvm_find_user_return_msr",
      answer: {
        id: 'kvm.user-return-msr-missing',
        meaning:
          'kvm_intel does not load: it could not give back a register (MSR) that a TD changes',
        causes: ['a bug of KVM, or a hypervisor below that hides the register'],
        next: 'report it with the kernel version; load kvm_intel with tdx=0 for ordinary VMs',
      },
    },
    {
      says: ['kvm_intel: Failed to initialize TDX', 'kvm_intel: Failed to enable TDX'],
      answer: {
        id: 'kvm.module-init-failed',
        rank: 'effect',
        meaning:
          'KVM has no TDX because the TDX module could not be initialised; lines before say why',
        next: 'look for the first "SEAMCALL" or "tdx:" line before it',
      },
    },
    {
      says: ['TD is being torn down', 'kvm_vm_bugged', 'KVM_BUG_ON'],
      answer: {
        id: 'kvm.vm-given-up',
        rank: 'effect',
        meaning: 'KVM gave a VM up: every request to it answers EIO from then on',
        next: 'look for the SEAMCALL line beside it',
      },
    },
  ],
);
