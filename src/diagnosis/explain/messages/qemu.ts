/**
 * What QEMU prints about TDX. Lines that name a request and an errno ("KVM_TDX_INIT_VM: No space left on
 * device") need no row: they are read as such.
 */
import { commonAnswers } from '../requests/common.ts';
import { noEntropy } from '../requests/tdx-commands.ts';
import { messages } from './message.ts';

const vmDead = commonAnswers.EIO;
if (vmDead === undefined) throw new Error('a shared answer is missing');

export const qemu = messages(
  { by: 'QEMU', place: 'host', source: 'target/i386/kvm/tdx.c', releases: '10.1 and later' },
  [
    {
      says: [
        'vm-type tdx not supported by KVM',
        "vm-type 'tdx' not supported by KVM",
        "kvm-type 'tdx' not supported by KVM",
        'vm-type X86_TDX_VM not supported by KVM',
      ],
      source: 'target/i386/kvm/kvm.c',
      answer: {
        // canonical/tdx#385, #102, #342; intel-staging/qemu-tdx#6; intel/tdx-tools#223, #281
        id: 'vmm.vm-type-unsupported',
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
      says: [
        "Parameter 'qom-type' does not accept value 'tdx-guest'",
        'qom-type does not accept tdx-guest',
        'invalid object type: tdx-guest',
      ],
      source: 'qom/object_interfaces.c',
      releases: 'builds without TDX',
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
      says: [
        'invalid object type: memory-backend-memfd-private',
        "Parameter 'qom-type' does not accept value 'memory-backend-memfd-private'",
      ],
      source: 'qom/object_interfaces.c',
      releases: 'upstream',
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
      says: [
        'Number of SMP cpus requested ({asked:int}) exceeds the maximum cpus supported by KVM ({most:int})',
        'Number of hotpluggable cpus requested ({asked:int}) exceeds the maximum cpus supported by KVM ({most:int})',
      ],
      source: 'accel/kvm/kvm-all.c',
      releases: 'any',
      answer: {
        id: 'vmm.vcpus-above-maximum',
        meaning: 'the VM asks for more vCPUs than KVM_CAP_MAX_VCPUS allows, and QEMU ends',
        causes: [
          'a TD gets no more vCPUs than the host has CPUs, nor than the TDX module allows',
          'an ordinary VM gets no more than KVM_MAX_VCPUS of the kernel',
        ],
        next: 'ask for fewer vCPUs (-smp); `tdctl host` shows the limits and which one binds',
      },
      say: ({ asked, most }) => ({
        meaning: `${asked} vCPUs are asked for, and KVM_CAP_MAX_VCPUS allows this VM ${most}: QEMU ends`,
      }),
    },
    {
      says: [
        'Number of SMP cpus requested ({asked:int}) exceeds the recommended cpus supported by KVM ({online:int})',
        'Number of hotpluggable cpus requested ({asked:int}) exceeds the recommended cpus supported by KVM ({online:int})',
      ],
      source: 'accel/kvm/kvm-all.c',
      releases: 'any',
      answer: {
        // canonical/tdx#77; kata-containers#8532; edk2#5828
        id: 'vmm.vcpus-above-recommended',
        rank: 'note',
        meaning:
          'the TD asks for more vCPUs than CPUs are online: a warning for plain VMs, a limit for TDs',
        next: 'ask for fewer vCPUs; `tdctl host` shows the limits and which one binds',
      },
      say: ({ asked, online }) => ({
        meaning:
          `${asked} vCPUs are asked for and ${online} CPUs are online: a warning for plain VMs, but a TD ` +
          'gets no more vCPUs than the host has CPUs',
      }),
    },
    {
      says: [
        'Invalid attributes 0x{asked:hex} for TDX VM',
        'Some QEMU unsupported TD attribute bits being requested: 0x{asked:hex}',
      ],
      answer: {
        id: 'vmm.attributes-unsupported',
        meaning: 'QEMU was asked for TD attributes that KVM or QEMU does not support',
        causes: ['-object tdx-guest,attributes=…, or pmu=on: KVM supports SEPT_VE_DISABLE only'],
        next: 'leave attributes out, and set pmu=off',
      },
    },
    {
      says: 'Invalid XFAM 0x{asked:hex} for TDX VM',
      answer: {
        id: 'vmm.xfam-unsupported',
        meaning: 'the CPU model asks for extended state (XFAM) that TDX does not have on this host',
        next: 'use -cpu host, and switch the feature off that the model adds',
      },
    },
    {
      says: 'Invalid TSC {khz:int} KHz',
      answer: {
        id: 'vmm.tsc-frequency',
        meaning: 'the TSC frequency is not between 100 MHz and 10 GHz, or no multiple of 25 MHz',
        next: 'choose a multiple of 25 000 kHz, or leave tsc-freq out',
      },
    },
    {
      says: 'TDX requires guest CPU physical bits ({guest:int}) to match host CPU physical bits ({host:int})',
      answer: {
        id: 'vmm.physical-bits',
        meaning: 'the guest must have the physical address width of the host',
        next: 'use -cpu host, without phys-bits or host-phys-bits-limit',
      },
    },
    {
      says: "KVM doesn't support KVM_CAP_X86_APIC_BUS_CYCLES_NS",
      answer: {
        id: 'vmm.kernel-too-old',
        meaning: 'QEMU needs a newer kernel: KVM_CAP_X86_APIC_BUS_CYCLES_NS is missing',
        next: 'use Linux 6.16 or later',
      },
    },
    {
      says: 'Hardware RNG (Random Number Generator) is busy occupied by someone',
      answer: noEntropy,
    },
    {
      says: [
        "TDX doesn't support requested feature: {feature}",
        'TDX forcibly sets the feature: {feature}',
      ],
      answer: {
        id: 'vmm.cpu-feature-differs',
        rank: 'note',
        meaning: 'the TD sees another CPU than was asked for: TDX fixes this feature',
        next: 'nothing unless the guest needs it; enforce_cpuid makes it an error',
      },
    },
    {
      says: "TDX '{name:word}' sha384 digest was {bytes:int} bytes, expected 48 bytes",
      answer: {
        id: 'vmm.identity-length',
        meaning: 'an identity of the TD (mrconfigid, mrowner, mrownerconfig) is not 48 bytes long',
        next: 'give 48 bytes in base64, 64 characters',
      },
    },
    {
      says: [
        'Could not access KVM kernel module',
        'failed to initialize kvm: No such',
        'failed to initialize kvm: Permission denied',
      ],
      source: 'accel/kvm/kvm-all.c',
      releases: 'any',
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
      says: 'failed to initialize kvm: Inappropriate ioctl',
      source: 'accel/kvm/kvm-all.c',
      releases: 'any',
      answer: {
        id: 'vmm.kvm-abi-mismatch',
        rank: 'effect',
        meaning:
          'QEMU ended because KVM does not know one of its requests; the line before says which',
        next: 'look at the line before it',
      },
    },
    {
      says: "'{device:word}' is not a valid device model name",
      source: 'qom, system/qdev-monitor.c',
      releases: 'any',
      answer: {
        // nearai/private-ml-sdk#8: qemu-kvm of RHEL has no virtio-9p.
        id: 'vmm.device-not-built-in',
        meaning: 'this QEMU was built without a device that the command line asks for',
        causes: ['the package of the distribution leaves it out', 'its package is not installed'],
        next: 'look for it in `qemu-system-x86_64 -device help`; leave the device out, or use a QEMU that has it',
      },
      say: ({ device }) => ({ meaning: `this QEMU was built without the device ${device}` }),
    },
    {
      says: "Could not set up host forwarding rule '{rule}'",
      source: 'net/slirp.c',
      releases: 'any',
      answer: {
        // canonical/tdx#148
        id: 'vmm.port-taken',
        meaning: 'QEMU cannot forward a port of the host to the guest, and did not start',
        causes: ['another program, often an earlier VM, listens at that port'],
        next: 'run `ss -ltnp` on the host; end that program, or choose another port in hostfwd=',
      },
    },
    {
      says: ['vhost_set_vring_call failed: {reason}', 'Error starting vhost: {code:int}'],
      source: 'hw/virtio/vhost.c',
      releases: 'any',
      answer: {
        // confidential-containers/confidential-containers#59
        id: 'vmm.vhost-backend-gone',
        rank: 'effect',
        meaning:
          'the process behind a device of the VM (vhost-user, such as virtiofsd) is gone or does not answer',
        causes: ['that process ended', 'the VM is being ended, because nothing in it answered'],
        next: 'look at the log of that process, and at the console of the guest before this line',
      },
    },
    {
      says: 'Failed to get registers: Input/output error',
      source: 'target/i386/kvm/kvm.c',
      releases: 'any',
      answer: vmDead,
    },
  ],
);
