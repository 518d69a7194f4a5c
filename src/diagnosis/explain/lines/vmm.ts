/**
 * What QEMU, libvirt, Kata and Cloud Hypervisor print about TDX. Lines that name a request and an
 * errno ("KVM_TDX_INIT_VM: No space left on device") need no row: they are read as such.
 * Source: QEMU target/i386/kvm/tdx.c, hw/i386/tdvf.c; the threads of each row.
 */
import { commonAnswers } from '../requests/common.ts';
import { noEntropy } from '../requests/tdx-commands.ts';
import type { LineRow } from './line-row.ts';

const vmDead = commonAnswers.EIO;
if (vmDead === undefined) throw new Error('a shared answer is missing');

export const vmTypeUnsupportedId = 'vmm.vm-type-unsupported';

export const vmmLines: readonly LineRow[] = [
  {
    pattern: /(vm|kvm)-type '?(x86_)?tdx(_vm)?'? not supported by KVM/i,
    answer: {
      // canonical/tdx#385, #102, #342; intel-staging/qemu-tdx#6; intel/tdx-tools#223, #281
      id: vmTypeUnsupportedId,
      meaning: 'QEMU asked this kernel for a TD, and KVM does not offer that type of VM',
      causes: [
        'the TDX module is not initialised: the kernel log says why',
        'another kernel was booted than the one with TDX (`uname -r`)',
        'kvm_intel was loaded without TDX (`cat /sys/module/kvm_intel/parameters/tdx` says N)',
        'QEMU and kernel number the type differently: one of them is from before Linux 6.16',
      ],
      next: 'run `tdctl doctor`, or explain the kernel log: `dmesg | tdctl explain -`',
    },
  },
  {
    pattern:
      /qom-type\W{1,3}\s*does not accept\b.{0,12}tdx-guest|invalid object type:? '?tdx-guest/i,
    answer: {
      // canonical/tdx#46, #135
      id: 'vmm.qemu-without-tdx',
      meaning: 'this QEMU was built without TDX',
      causes: [
        'an upgrade (apt) replaced the QEMU with TDX by one without',
        'QEMU is older than 10.1, the first upstream release with TDX',
      ],
      next: 'check `qemu-system-x86_64 --version`; install QEMU 10.1 or later, and hold the package',
    },
  },
  {
    pattern: /memory-backend-memfd-private/i,
    answer: {
      // canonical/tdx#30
      id: 'vmm.old-command-line',
      meaning:
        'the command line is for an old vendor QEMU: this one has no memory-backend-memfd-private',
      causes: ['a start script of intel/tdx-tools with a newer QEMU'],
      next: 'use memory-backend-ram: upstream QEMU makes the private memory itself',
    },
  },
  {
    pattern:
      /launch security.{0,30}not supported with this QEMU binary|launchSecurity.{0,20}tdx.{0,30}not supported/i,
    answer: {
      id: 'vmm.libvirt-qemu-without-tdx',
      meaning: 'libvirt finds no TDX in the QEMU it would start',
      causes: [
        'an upgrade replaced the QEMU with TDX by one without, or <emulator> names another one',
        'libvirt cached the capabilities of an older QEMU',
        'libvirt is older than 11.6, the first release with TDX',
      ],
      next: 'run `virsh domcapabilities` and look for tdx; install QEMU 10.1 and libvirt 11.6 or later',
    },
  },
  {
    pattern: /exit+ing QMP loop/i,
    answer: {
      // canonical/tdx#22: the cause was #21.
      id: 'vmm.kata-qmp-loop',
      rank: 'effect',
      meaning:
        'Kata gave up because QEMU ended or printed an error: the cause is in the log of QEMU',
      causes: ['KVM_TDX_INIT_MEM_REGION answered EAGAIN and QEMU did not repeat it'],
      next: 'look for the QEMU line before it; use QEMU 10.1 or later',
    },
  },
  {
    pattern: /process exited while connecting to monitor|Failed to define domain/i,
    answer: {
      id: 'vmm.libvirt-qemu-ended',
      rank: 'effect',
      meaning: 'QEMU ended before libvirt could speak to it: its own last line says why',
      next: 'read /var/log/libvirt/qemu/NAME.log',
    },
  },
  {
    pattern:
      /(?:SMP|hotpluggable) cpus requested \((\d+)\) exceeds the recommended cpus supported by KVM \((\d+)\)/i,
    answer: {
      // canonical/tdx#77; kata-containers#8532; edk2#5828
      id: 'vmm.vcpus-above-recommended',
      rank: 'note',
      meaning:
        'the TD asks for more vCPUs than CPUs are online: a warning for plain VMs, a limit for TDs',
      next: 'ask for fewer vCPUs; `tdctl host` shows the limits and which one binds',
    },
    say: ([, asked, online]) => ({
      meaning:
        `${asked} vCPUs are asked for and ${online} CPUs are online: a warning for plain VMs, but a TD ` +
        'gets no more vCPUs than the host has CPUs',
    }),
  },
  {
    pattern: /Invalid attributes 0x[0-9a-f]+ for TDX VM|unsupported TD attribute bits/i,
    answer: {
      id: 'vmm.attributes-unsupported',
      meaning: 'QEMU was asked for TD attributes that KVM or QEMU does not support',
      causes: ['-object tdx-guest,attributes=…, or pmu=on: KVM supports SEPT_VE_DISABLE only'],
      next: 'leave attributes out, and set pmu=off',
    },
  },
  {
    pattern: /Invalid XFAM 0x[0-9a-f]+ for TDX VM/i,
    answer: {
      id: 'vmm.xfam-unsupported',
      meaning: 'the CPU model asks for extended state (XFAM) that TDX does not have on this host',
      next: 'use -cpu host, and switch the feature off that the model adds',
    },
  },
  {
    pattern: /Invalid TSC \d+ KHz/i,
    answer: {
      id: 'vmm.tsc-frequency',
      meaning: 'the TSC frequency is not between 100 MHz and 10 GHz, or no multiple of 25 MHz',
      next: 'choose a multiple of 25 000 kHz, or leave tsc-freq out',
    },
  },
  {
    pattern:
      /TDX requires guest CPU physical bits \((\d+)\) to match host CPU physical bits \((\d+)\)/i,
    answer: {
      id: 'vmm.physical-bits',
      meaning: 'the guest must have the physical address width of the host',
      next: 'use -cpu host, without phys-bits or host-phys-bits-limit',
    },
  },
  {
    pattern: /KVM doesn't support KVM_CAP_X86_APIC_BUS_CYCLES_NS/,
    answer: {
      id: 'vmm.kernel-too-old',
      meaning: 'QEMU needs a newer kernel: KVM_CAP_X86_APIC_BUS_CYCLES_NS is missing',
      next: 'use Linux 6.16 or later',
    },
  },
  { pattern: /Hardware RNG.{0,60}(busy|occupied)/i, answer: noEntropy },
  {
    pattern: /TDX doesn't support requested feature|TDX forcibly sets the feature/i,
    answer: {
      id: 'vmm.cpu-feature-differs',
      rank: 'note',
      meaning: 'the TD sees another CPU than was asked for: TDX fixes this feature',
      next: 'nothing unless the guest needs it; enforce_cpuid makes it an error',
    },
  },
  {
    pattern:
      /TDVF contains unsupported section type|failed to parse TDVF|Unsupported TDVF section/i,
    answer: {
      id: 'vmm.firmware-section',
      meaning: 'the firmware has a section that this VMM cannot load, or is no TDVF',
      causes: ['a td-shim with a kernel section under QEMU', 'an OVMF that was built without TDX'],
      next: 'check it with `tdctl measure FIRMWARE`; use the OVMF that comes with the VMM',
    },
  },
  {
    pattern: /TDVF metadata doesn't specify TD_HOB|Failed to accept memory for TDVF section/i,
    answer: {
      id: 'vmm.firmware-layout',
      meaning: 'the memory map of the firmware does not fit that of the VM',
      next: 'check it with `tdctl measure FIRMWARE`; give the VM at least 256 MiB',
    },
  },
  {
    pattern: /mr(configid|owner|ownerconfig)' sha384 digest was \d+ bytes/i,
    answer: {
      id: 'vmm.identity-length',
      meaning: 'an identity of the TD (mrconfigid, mrowner, mrownerconfig) is not 48 bytes long',
      next: 'give 48 bytes in base64, 64 characters',
    },
  },
  {
    pattern:
      /Could not access KVM kernel module|failed to initialize kvm: (No such|Permission|No such device)/i,
    answer: {
      id: 'vmm.no-kvm',
      meaning: 'QEMU cannot open /dev/kvm',
      causes: [
        'kvm_intel is not loaded, or VT-x is off in the BIOS',
        'the user is not in the group of /dev/kvm',
        'QEMU runs inside a VM or container without KVM',
      ],
      next: 'run `tdctl doctor`',
    },
  },
  {
    pattern: /failed to initialize kvm: Inappropriate ioctl/i,
    answer: {
      id: 'vmm.kvm-abi-mismatch',
      rank: 'effect',
      meaning:
        'QEMU ended because KVM does not know one of its requests; the line before says which',
      next: 'look at the line before it',
    },
  },
  { pattern: /Failed to get registers: Input\/output error/i, answer: vmDead },
  {
    pattern: /Feature '?tdx'? is broken/i,
    answer: {
      id: 'vmm.cloud-hypervisor-tdx-broken',
      meaning:
        'Cloud Hypervisor cannot be built with TDX since July 2026: its makers switched it off',
      next: 'use QEMU 10.1 or later',
    },
  },
];
