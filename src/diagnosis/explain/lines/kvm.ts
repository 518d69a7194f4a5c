/** What KVM prints about TDX (`kvm_intel:`). Source: Linux arch/x86/kvm/vmx/tdx.c. */
import type { LineRow } from './line-row.ts';

export const kvmLines: readonly LineRow[] = [
  {
    pattern: /MAX_VCPU_PER_TD \((\d+)\) smaller than number of logical CPUs \((\d+)\)/i,
    answer: {
      id: 'kvm.cpus-above-module-limit',
      meaning: 'KVM leaves TDX off: the host has more CPUs than the TDX module gives one TD',
      next: 'update the BIOS for a newer module, or switch off hyper-threading or CPUs in the BIOS',
    },
    say: ([, module, cpus]) => ({
      meaning:
        `KVM leaves TDX off: the host has ${cpus} CPUs, and the TDX module gives one TD at most ` +
        `${module} vCPUs`,
    }),
  },
  {
    pattern: /HKID (\d+) is leaked/i,
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
    say: ([, hkid]) => ({
      meaning: `key slot HKID ${hkid} is lost until the host reboots: the teardown of its TD failed half-way`,
    }),
  },
  {
    pattern: /All packages need to have online CPU to create TD/i,
    answer: {
      id: 'host.package-offline',
      meaning: 'no TD can be built: a CPU package of the host has no online CPU',
      causes: ['CPUs were taken offline to save power, or by maxcpus= on the kernel command line'],
      next: 'bring one CPU of every package online: `echo 1 > /sys/devices/system/cpu/cpuN/online`',
    },
  },
  {
    pattern: /TDX requires all packages to have an online CPU/i,
    answer: {
      id: 'host.cpu-offline-refused',
      meaning: 'the last CPU of a package cannot be taken offline while a TD exists',
      causes: ['TDs run, are being torn down, or have leaked their key slots'],
      next: 'end all TDs first; `tdctl host` shows how many key slots are in use',
    },
  },
  {
    pattern: /no TDX private KeyIDs available/i,
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
    pattern:
      /(EPT|TDP MMU and MMIO caching and EPT A\/D bit|APICv|OSXSAVE|MOVDIR64B|Self-snoop) is required for TDX/i,
    answer: {
      id: 'kvm.feature-missing',
      meaning: 'KVM leaves TDX off: it needs a feature that is off',
      causes: [
        'a parameter of kvm or kvm_intel switches it off (ept, enable_apicv, mmio_caching, tdp_mmu)',
        'the BIOS or the hypervisor below hides it',
      ],
      next: 'remove the parameter from /etc/modprobe.d and the kernel command line, and reload kvm_intel',
    },
    say: ([, feature]) => ({ meaning: `KVM leaves TDX off: it needs ${feature}, which is off` }),
  },
  {
    pattern: /tdx requires kvm\.enable_virt_at_load=1/i,
    answer: {
      id: 'kvm.virt-at-load-off',
      meaning: 'KVM leaves TDX off: kvm.enable_virt_at_load is 0',
      next: 'remove kvm.enable_virt_at_load=0 from the parameters, and reload kvm',
    },
  },
  {
    pattern: /kvm_intel: Failed to (initialize|enable) TDX/i,
    answer: {
      id: 'kvm.module-init-failed',
      rank: 'effect',
      meaning:
        'KVM has no TDX because the TDX module could not be initialised; lines before say why',
      next: 'look for the first "SEAMCALL" or "tdx:" line before it',
    },
  },
  {
    pattern: /TD is being torn down|kvm_vm_bugged|KVM_BUG_ON/i,
    answer: {
      id: 'kvm.vm-given-up',
      rank: 'effect',
      meaning: 'KVM gave a VM up: every request to it answers EIO from then on',
      next: 'look for the SEAMCALL line beside it',
    },
  },
];
