/** The inside of a TD. */
import type { Case } from './case.ts';

export const guestCases: readonly Case[] = [
  { from: 'canonical/tdx#183', log: 'guest-no-driver.log', ids: ['guest.no-tdx-guest-device'] },
  {
    from: 'google/go-tdx-guest#28',
    log: 'guest-no-quote-ioctl.log',
    ids: ['guest.no-quote-ioctl'],
  },
  {
    from: 'canonical/tdx#421',
    log: 'guest-odd-memory.log',
    ids: ['guest.memory-no-multiple-of-gib'],
  },
  {
    from: 'NVIDIA/open-gpu-kernel-modules#531',
    log: 'guest-swiotlb-full.log',
    ids: ['guest.swiotlb-full'],
  },
  {
    from: 'Dstack-TEE/dstack',
    log: [
      'Error: Failed to request app keys',
      '  0: Failed to get sealing key',
      '  2: quote failure: QGS error code: 0x12001',
    ],
    ids: ['qgs.answers-without-quote'],
  },
  {
    from: 'programs by libtdx_attest: each code is its own cause',
    log: [
      'tdx_att_get_quote failed (code 8)',
      'tdx_att_get_quote failed: 0x4',
      'tdx_att_extend failed, return TDX_ATTEST_ERROR_INVALID_RTMR_INDEX',
    ],
    ids: ['guest.attest-no-quote', 'guest.attest-vsock', 'guest.attest-rtmr-index'],
  },
  {
    from: 'NVIDIA/NVFlare#5312',
    log: ['[tdx] tdx_att_get_quote failed: 0xe011'],
    ids: ['attestation.platform-not-registered'],
  },
  {
    from: 'the driver, a QGS that does not answer',
    log: [
      '[    0.000000] tdx: Guest detected',
      '[  131.402511] tdx_guest: GetQuote request timedout',
      'cat: /sys/kernel/config/tsm/report/r0/outblob: Connection timed out',
    ],
    ids: ['guest.get-quote-timed-out'],
  },
  {
    from: 'configfs-tsm without its driver',
    log: [
      "mkdir: cannot create directory '/sys/kernel/config/tsm/report/r0': No such device or address",
    ],
    ids: ['guest.configfs-without-provider'],
  },
  {
    from: 'report data with a line feed',
    log: ['cat: /sys/kernel/config/tsm/report/r0/outblob: Invalid argument'],
    ids: ['guest.report-data-length'],
  },
  {
    from: 'kata-containers/kata-containers#3810',
    log: [
      '[    0.000000] tdx: Guest detected',
      '[    0.812345] virtiofs virtio2: device must provide VIRTIO_F_ACCESS_PLATFORM',
    ],
    ids: ['guest.virtio-without-dma-api'],
  },
  {
    from: 'Linux, a TD that may not accept its memory',
    log: [
      '[    0.000000] tdx: Guest detected',
      '[    0.402111] Kernel panic - not syncing: TDX: Failed to accept memory',
    ],
    ids: ['guest.memory-not-accepted'],
  },
  {
    from: 'Linux, SEPT_VE_DISABLE off, as QEMU repeats it',
    log: [
      'TDX guest reports fatal error. error code: 0x0 error message:"TD misconfiguration: SEPT #VE has to be disabled"',
    ],
    ids: ['guest.sept-ve-not-disabled', 'guest.reported-fatal-error'],
  },
  {
    from: 'OVMF, a page that the host could not give',
    log: [
      'Intel Tdx Started with (GPAW: 48, Cpus: 4)',
      'MpAccept : 0x1000000 - 0x80000000 (0x7F000000)',
      'Address 1200000 (1) failed to be accepted. Error = 0xC000020200000000',
      'ASSERT [SecMain] /build/edk2/OvmfPkg/IntelTdx/TdxHelperLib/SecTdxHelper.c(273): Status == EFI_SUCCESS',
    ],
    ids: ['ovmf.memory-not-accepted', 'ovmf.assert'],
  },
  {
    from: 'OVMF, a memory map that it does not take',
    log: ['HOB: Unknow ResourceDescriptor ResourceType type. Type: 0x00000007'],
    ids: ['ovmf.td-hob-invalid'],
  },
  {
    from: 'OVMF, a device at an address that the VMM does not have',
    log: [
      'MMIO #VE happened, ExitReasion is 48, ExitQualification = 0x181.',
      '#VE Error (0x8000000000000000) returned from host, ExitReason is 48, ExitQualification = 0x181.',
    ],
    ids: ['ovmf.host-refused-call', 'ovmf.exit-handled'],
  },
];
