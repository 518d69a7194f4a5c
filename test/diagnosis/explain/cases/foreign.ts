/** Logs of other programs and machines, with "failed" in them: TDX has no part in it, and nothing is said. */
import type { Case } from './case.ts';

const foreign = { isHealthy: true, ids: [] } as const;

export const foreignCases: readonly Case[] = [
  {
    ...foreign,
    from: 'sshd',
    log: [
      'Nov 29 08:12:01 host1 sshd[1201]: Failed password for invalid user admin from 203.0.113.7 port 51122 ssh2',
      'Nov 29 08:12:03 host1 sshd[1201]: error: kex_exchange_identification: Connection closed by remote host',
      'Nov 29 08:12:04 host1 sshd[1204]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0',
      'Nov 29 08:12:06 host1 sshd[1204]: fatal: Timeout before authentication for 203.0.113.7',
    ],
  },
  {
    ...foreign,
    from: 'systemd',
    log: [
      'Nov 29 08:00:01 host1 systemd[1]: snapd.service: Main process exited, code=exited, status=42',
      "Nov 29 08:00:01 host1 systemd[1]: snapd.service: Failed with result 'exit-code'.",
      'Nov 29 08:00:02 host1 systemd[1]: Failed to start Network Manager Wait Online.',
      'Nov 29 08:00:03 host1 systemd[1]: Dependency failed for Remote File Systems.',
      'Nov 29 08:00:04 host1 systemd-resolved[801]: Failed to send hostname reply: Invalid argument',
    ],
  },
  {
    ...foreign,
    from: 'nginx',
    log: [
      '2026/11/29 08:01:11 [error] 77#77: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.9',
      '2026/11/29 08:01:12 [crit] 77#77: *2 SSL_do_handshake() failed (SSL: error:0A000086) while SSL handshaking to upstream',
      '10.0.0.9 - - [29/Nov/2026:08:01:13 +0000] "GET /api/v4/platforms HTTP/1.1" 404 57 "-" "curl/8.5.0"',
      '10.0.0.9 - - [29/Nov/2026:08:01:14 +0000] "POST /login HTTP/1.1" 401 19 "-" "Mozilla/5.0"',
    ],
  },
  {
    ...foreign,
    from: 'docker',
    log: [
      'time="2026-11-29T08:02:00Z" level=error msg="Handler for POST /v1.45/containers/create returned error: No such image: alpine:3"',
      'time="2026-11-29T08:02:01Z" level=warning msg="failed to retrieve runc version: exit status 1"',
      'time="2026-11-29T08:02:02Z" level=error msg="stream copy error: reading from a closed fifo"',
      'docker: Error response from daemon: driver failed programming external connectivity on endpoint web',
    ],
  },
  {
    ...foreign,
    from: 'Kubernetes',
    log: [
      'E1129 08:03:00.000001    1201 pod_workers.go:1298] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"web\\" with CrashLoopBackOff"',
      'I1129 08:03:01.000001    1201 kubelet.go:2412] "SyncLoop (PLEG): event for pod" pod="default/web"',
      'E1129 08:03:02.000001    1201 remote_image.go:180] "PullImage from image service failed" err="rpc error: code = NotFound"',
      'W1129 08:03:03.000001    1201 manager.go:1169] Failed to process watch event: task 1 not found: not found',
    ],
  },
  {
    ...foreign,
    from: 'NVIDIA',
    log: [
      '[    5.100000] nvidia: module license taints kernel.',
      '[    5.200000] NVRM: GPU 0000:3b:00.0: RmInitAdapter failed! (0x24:0xffff:1460)',
      '[    5.300000] NVRM: rm_init_adapter failed, device minor number 0',
      '[    9.400000] NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.',
      '[    9.500000] nvidia-modeset: ERROR: GPU:0: Failed to query display engine channel state: 0x0000c67d:0:0:0x0000000f',
    ],
  },
  {
    ...foreign,
    from: 'a host with AMD SEV',
    log: [
      '[    0.000000] Linux version 6.8.0-51-generic (buildd@example) #52-Ubuntu SMP',
      '[    0.000000] SEV-SNP: RMP table physical range [0x0000000015000000 - 0x00000000358fffff]',
      '[    1.900000] ccp 0000:42:00.1: sev enabled',
      '[    1.950000] ccp 0000:42:00.1: SEV: failed to INIT error 0x0, rc -22',
      '[    2.400000] kvm_amd: SEV-ES disabled (ASIDs 0 - 0)',
      '[    2.500000] kvm_amd: Nested Paging enabled',
      "qemu-system-x86_64: sev_kvm_init: failed to initialize ret=-25 fw_error=0 ''",
    ],
  },
  {
    ...foreign,
    from: 'an ordinary VM',
    log: [
      '[    0.000000] Linux version 6.12.9-amd64 (debian-kernel@lists.debian.org) #1 SMP',
      '[    0.000000] BIOS-provided physical RAM map:',
      '[    0.000000] Hypervisor detected: KVM',
      '[    0.010000] Booting paravirtualized kernel on KVM',
      '[    0.210000] software IO TLB: mapped [mem 0x00000000bbed6000-0x00000000bfed6000] (64MB)',
      '[    0.610000] unchecked MSR access error: RDMSR from 0x1a2 at rIP: 0xffffffff8a0b9f44',
      '[    1.310000] kvm_intel: VMX not supported by CPU 0',
      '[    1.410000] virtio_blk virtio2: [vda] 41943040 512-byte logical blocks',
      '[    1.510000] Run /init as init process',
      '[    3.010000] EXT4-fs (vda1): re-mounted. Quota mode: none.',
    ],
  },
  {
    ...foreign,
    from: 'the firmware of an ordinary VM',
    log: [
      'SecCoreStartupWithStack',
      'FV@ffe00000 Size=E0000 Decompressed',
      'Loading PEIM at 0x00000820D40 EntryPoint=0x0000082643F CpuMpPei.efi',
      'BdsDxe: failed to load Boot0001 "UEFI QEMU DVD-ROM QM00005 " from PciRoot(0x0)/Pci(0x1F,0x2): Not Found',
      'BdsDxe: starting Boot0002 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x3,0x0)',
    ],
  },
  {
    ...foreign,
    from: 'QEMU of an ordinary VM',
    log: [
      "qemu-system-x86_64: -chardev socket,id=c0,path=/run/vm.sock: Failed to connect to '/run/vm.sock': No such file or directory",
      "qemu-system-x86_64: warning: host doesn't support requested feature: CPUID.80000001H:ECX.svm [bit 2]",
      'qemu-system-x86_64: terminating on signal 15 from pid 1 (systemd)',
    ],
  },
  {
    ...foreign,
    from: 'a database and a web shop',
    log: [
      'ERROR:  could not get the quote for order 1201: HTTP 503 Service Unavailable',
      'quote service timeout after 30 s; retrying (2 of 5)',
      'attestation of the annual report failed: signature missing',
      'FATAL:  password authentication failed for user "shop"',
    ],
  },
  {
    ...foreign,
    from: 'Azure, whose gateway says "invalid subscription key"',
    log: [
      '{ "statusCode": 401, "message": "Access denied due to invalid subscription key." }',
      'HTTP/1.1 404 Resource Not Found',
    ],
  },
  {
    ...foreign,
    from: 'OP-TEE, which has errors of like names',
    log: [
      'E/TC:? 0 init_session:1201 TEE_ERROR_OUT_OF_MEMORY',
      'E/TC:? 0 tee_ta_open_session:593 init session failed 0xffff000c TEE_ERROR_BUSY',
    ],
  },
];
