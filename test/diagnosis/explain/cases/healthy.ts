/** Logs of what works: nothing in them is an accusation. */
import type { Case } from './case.ts';

const healthy = { isHealthy: true } as const;

export const healthyCases: readonly Case[] = [
  { ...healthy, from: 'canonical/tdx#155', log: 'guest-working.log', ids: ['guest.in-td'] },
  { ...healthy, from: 'Linux 7.x', log: 'not-supported.log', ids: ['host.tdx-not-supported'] },
  {
    ...healthy,
    from: 'NVIDIA/nvtrust#46',
    log: 'vfio-warning.log',
    ids: ['vfio.mappings-may-run-out'],
  },
  {
    ...healthy,
    from: 'Linux 7.x in a TD',
    log: [
      '[    0.0] tdx: Guest detected',
      '[ 0.8] virt/tdx: TDX not supported by the host platform',
    ],
    ids: ['guest.in-td', 'guest.no-tdx-host'],
  },
  {
    ...healthy,
    from: 'QGS of a working host',
    log: [
      'Jan 16 08:55:49 tdx-qgs-failed qgsd[73164]: call tee_att_init_quote',
      'Jan 16 08:55:49 tdx-qgs-failed qgsd[73164]: tee_att_init_quote return 0x0',
    ],
    ids: ['qgs.init-quote-called', 'qgs.ready'],
  },
  {
    ...healthy,
    from: 'OpenStack',
    log: ['nova-compute[3]: create_vm failed: Invalid argument'],
    ids: [],
  },
  {
    ...healthy,
    from: 'other drivers',
    log: [
      '[    3.1] vfio-pci 0000:3b:00.0: probe failed: -22 (Invalid argument)',
      '[    3.2] nvidia: module initialization failed (-5)',
      '[    3.3] kvm: SEV disabled (no such device)',
      '[    3.4] kvm [4242]: ignored rdmsr: 0x122 data 0x0',
    ],
    ids: [],
  },
  {
    ...healthy,
    from: 'half a boot of a kernel without TDX',
    log: [
      '[    0.000000] Linux version 6.8.0-51-generic (buildd@example) #52-Ubuntu SMP',
      '[    1.234567] smpboot: CPU0: Intel(R) Xeon(R) Gold 6548Y+ (family: 0x6, model: 0xcf)',
    ],
    ids: [],
  },
  {
    ...healthy,
    from: 'a plain VM',
    log: [
      '[    0.000000] Linux version 6.8.0-51-generic (buildd@example) #52-Ubuntu SMP',
      '[    0.000000] Hypervisor detected: KVM',
      '[    1.234567] Run /init as init process',
    ],
    ids: [],
  },
  {
    ...healthy,
    from: 'QGS that makes a quote',
    log: [
      'Nov 29 08:10:00 host1 qgsd[901]: Added a new connection, now [1]',
      'Nov 29 08:10:00 host1 qgsd[901]: handle_read: status [system:0]',
      'Nov 29 08:10:00 host1 qgsd[901]: handle_read:[system:0Received 1052 bytes.]',
      'Nov 29 08:10:00 host1 qgsd[901]: process legecy request [1052] bytes!.',
      'Nov 29 08:10:00 host1 qgsd[901]: unpack message successfully in thread [7f0a11dfe640]',
      'Nov 29 08:10:00 host1 qgsd[901]: enter prepare_response',
      'Nov 29 08:10:00 host1 qgsd[901]: call tee_att_create_context',
      'Nov 29 08:10:00 host1 qgsd[901]: create context in thread[7f0a11dfe640]',
      'Nov 29 08:10:00 host1 qgsd[901]: call tee_att_init_quote',
      'Nov 29 08:10:01 host1 qgsd[901]: tee_att_get_quote return Success',
      'Nov 29 08:10:01 host1 qgsd[901]: Return from get_resp',
      'Nov 29 08:10:01 host1 qgsd[901]: About to write response in thread [7f0a11dfe640]',
      'Nov 29 08:10:01 host1 qgsd[901]: About to shutdown and close socket',
      'Nov 29 08:10:01 host1 qgsd[901]: erased a connection, now [0]',
    ],
    ids: ['qgs.at-work', 'qgs.init-quote-called', 'qgs.quote-made'],
  },
  {
    ...healthy,
    from: 'the start of QGS',
    log: [
      'Nov 29 08:09:00 host1 systemd[1]: Starting qgsd.service - Intel(R) TD Quoting Generation Service...',
      'Nov 29 08:09:00 host1 qgs[900]: Use unix socket: /var/run/tdx-qgs/qgs.socket',
      'Nov 29 08:09:00 host1 qgsd[901]: Added signal handler',
      'Nov 29 08:09:00 host1 qgsd[901]: About to create QgsServer with num_thread = 4',
      'Nov 29 08:09:00 host1 qgsd[901]: About to start main loop',
      'Nov 29 08:09:00 host1 systemd[1]: Started qgsd.service - Intel(R) TD Quoting Generation Service.',
    ],
    ids: ['qgs.started'],
  },
  {
    ...healthy,
    from: 'PCCS at work',
    log: [
      '2026-11-29 08:08:00.101 [info]: HTTPS Server is running on: https://localhost:8081',
      '2026-11-29 08:08:30.201 [info]: Client Request-ID : 27f864c476484ba8ac2dc651ffe05cd5',
      '2026-11-29 08:08:30.202 [info]: 127.0.0.1 - - [29/Nov/2026:08:08:30 +0000] "GET /sgx/certification/v4/pckcert?qeid=0001&pceid=0000 HTTP/1.1" 200 1704 "-" "-"',
      '2026-11-30 01:00:08.301 [info]: Scheduled cache refresh is completed successfully.',
    ],
    ids: ['pccs.started', 'pccs.request-served', 'pccs.refreshed'],
  },
  {
    ...healthy,
    from: 'a platform that is registered',
    log: [
      '[29-11-2026 08:00:00] INFO: SGX Registration Agent version: 1.21.100.3',
      '[29-11-2026 08:00:00] INFO: Starts Registration Agent Flow.',
      '[29-11-2026 08:00:00] INFO: Registration Flow - Registration status indicates registration is completed successfully. MPA has nothing to do.',
      '[29-11-2026 08:00:00] INFO: Finished Registration Agent Flow.',
    ],
    ids: ['registration.complete'],
  },
  {
    ...healthy,
    from: 'PCKIDRetrievalTool on a server with one package',
    log: [
      'Intel(R) Software Guard Extensions PCK Cert ID Retrieval Tool Version 1.21.100.3',
      'Warning: platform manifest is not available or current platform is not multi-package platform.',
      'the data has been sent to cache server successfully and pckid_retrieval.csv has been generated successfully!',
    ],
    ids: ['registration.no-manifest', 'registration.complete'],
  },
  {
    ...healthy,
    from: 'the kernel of a TD',
    log: [
      '[    0.000000] tdx: Guest detected',
      '[    0.000000] Linux version 6.16.0-1-amd64 (debian-kernel@lists.debian.org) #1 SMP',
      '[    0.000000] tdx: Attributes: SEPT_VE_DISABLE',
      '[    0.000000] Hypervisor detected: KVM',
      '[    0.000000] software IO TLB: SWIOTLB bounce buffer size adjusted to 246MB',
      '[    0.355803] process: using TDX aware idle routine',
      '[    0.413109] Memory Encryption Features active: Intel TDX',
      '[    0.610000] unchecked MSR access error: RDMSR from 0x1a2 at rIP: 0xffffffff8a0b9f44',
      '[    1.310000] kvm_intel: VMX not supported by CPU 0',
      '[    1.510000] Run /init as init process',
      '[   19.907864] systemd[1]: Detected confidential virtualization tdx.',
    ],
    ids: ['guest.msr-not-given', 'guest.in-td', 'guest.attributes', 'guest.swiotlb-on'],
  },
  {
    ...healthy,
    from: 'the kernel of a host with TDX',
    log: [
      '[    0.000000] Linux version 6.16.0-1-amd64 (debian-kernel@lists.debian.org) #1 SMP',
      '[    1.398899] virt/tdx: BIOS enabled: private KeyID range [64, 128)',
      '[    1.398902] virt/tdx: Disable ACPI S3. Turn off TDX in the BIOS to use ACPI S3.',
      '[    3.100000] Run /init as init process',
      '[    6.791305] virt/tdx: 1034220 KB allocated for PAMT',
      '[    6.791312] virt/tdx: module initialized',
    ],
    ids: ['log.no-trouble', 'host.bios-enabled'],
  },
  {
    ...healthy,
    from: 'the firmware of a TD',
    log: [
      'SecCoreStartupWithStack(0xFFCC4000, 0x820000)',
      'Intel Tdx Started with (GPAW: 52, Cpus: 4)',
      'MpAccept : 0x1000000 - 0x80000000 (0x7F000000)',
      'CPUID #VE happened, ExitReasion is 10, ExitQualification = 0x0.',
      'TdGetEventLog - Success',
      'CcProtocol: Install Success',
    ],
    ids: ['ovmf.progress', 'ovmf.accepting'],
  },
  {
    ...healthy,
    from: 'QEMU that starts a TD',
    log: [
      "qemu-system-x86_64: warning: TDX doesn't support requested feature: CPUID.07H:EBX.hle [bit 4]",
      'qemu-system-x86_64: warning: TDX forcibly sets the feature: CPUID[eax=07h].EBX.sgx [bit 2]',
    ],
    ids: ['vmm.cpu-feature-differs'],
  },
  {
    ...healthy,
    from: 'Linux 7.x in a TD, which says so before its first line',
    log: [
      '[    0.000000] tdx: Guest detected',
      '[    0.000000] Linux version 7.3.4-1-amd64 (debian-kernel@lists.debian.org) #1 SMP',
      '[    0.800000] virt/tdx: TDX not supported by the host platform',
      '[    1.510000] Run /init as init process',
    ],
    ids: ['guest.in-td', 'guest.no-tdx-host'],
  },
];
