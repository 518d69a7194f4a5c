/** Codes of libtdx_attest inside a TD: `tdx_attest_error_t`. */
import type { Answer } from '../../answer.ts';
import type { CodeTable } from '../codes.ts';

export const vsockFailed: Answer = {
  id: 'guest.attest-vsock',
  meaning: 'the library cannot speak to QGS of the host by vsock',
  causes: [
    'the TD has no vsock device (-device vhost-vsock-pci)',
    'QGS listens at another port than /etc/tdx-attest.conf says, or at a UNIX socket',
  ],
  next: 'empty /etc/tdx-attest.conf to go by configfs-tsm; or give the TD a vsock device, and QGS `port = 4050` in /etc/qgs.conf',
};

export const hostGaveNoQuote: Answer = {
  id: 'guest.attest-no-quote',
  meaning: 'the host was asked for a quote, and gave none or an empty one',
  causes: [
    'QGS of the host made no quote: its log says why',
    'QGS is older than DCAP 1.21, and gives nothing to upstream kernels',
    'QEMU does not reach QGS: its own log says so',
  ],
  next: 'read `journalctl -u qgsd` and the log of QEMU on the host; update tdx-qgs to DCAP 1.21 or later',
};

const codes: readonly (readonly [code: number, name: string, answer: Answer])[] = [
  [
    0x01,
    'ERROR_UNEXPECTED',
    {
      id: 'guest.attest-unexpected',
      meaning:
        'the library got no quote, and what came back was none: mostly QGS answered with an error',
      causes: [
        'QGS of the host made no quote: its log says why',
        'the file of configfs-tsm could not be opened or read: the program needs root',
      ],
      next: 'read `journalctl -u qgsd` on the host, and `journalctl -t libtdx_attest` or syslog in the guest',
    },
  ],
  [
    0x02,
    'ERROR_INVALID_PARAMETER',
    {
      id: 'guest.attest-parameter',
      meaning: 'the program called the library wrongly: a pointer, a size or a flag is not valid',
      next: 'mend the call: 64 bytes of report data, flags 0, and list_size 0 where there is no list',
    },
  ],
  [
    0x03,
    'ERROR_OUT_OF_MEMORY',
    {
      id: 'guest.attest-out-of-memory',
      meaning: 'the program in the TD got no memory for a quote',
      next: 'check `free -h` and the memory limit of the program in the guest',
    },
  ],
  [0x04, 'ERROR_VSOCK_FAILURE', vsockFailed],
  [
    0x05,
    'ERROR_REPORT_FAILURE',
    {
      id: 'guest.attest-report',
      meaning: 'the kernel of the guest gave no TDREPORT',
      causes: ['the tdx_guest driver of this kernel has another interface than the library'],
      next: 'look at `dmesg | grep tdx` in the guest; update libtdx-attest and the kernel of the guest',
    },
  ],
  [
    0x06,
    'ERROR_EXTEND_FAILURE',
    {
      id: 'guest.attest-extend',
      meaning: 'a runtime measurement register (RTMR) could not be extended',
      causes: ['the program may not write the register, or the module refused it'],
      next: 'run it as root, and look at `dmesg | grep tdx_mcall_extend_rtmr` in the guest',
    },
  ],
  [
    0x07,
    'ERROR_NOT_SUPPORTED',
    {
      id: 'guest.attest-not-supported',
      meaning:
        'there is no way to a quote: no configfs-tsm in the guest, and the VMM has no quote service',
      causes: [
        'QEMU was started without quote-generation-socket',
        'the kernel of the guest has no configfs-tsm (CONFIG_TSM_REPORTS), or configfs is not mounted',
        'event data was given to an RTMR extension, which takes none',
      ],
      next: 'look for `ls /sys/kernel/config/tsm/report` in the guest; start QEMU with -object tdx-guest,…,quote-generation-socket',
    },
  ],
  [0x08, 'ERROR_QUOTE_FAILURE', hostGaveNoQuote],
  [
    0x09,
    'ERROR_BUSY',
    {
      id: 'guest.attest-busy',
      meaning: 'another quote is being made, or one that timed out is still under way',
      causes: ['two programs ask at once', 'QGS did not answer an earlier request'],
      next: 'try again after 30 s; if it stays so, look at `journalctl -u qgsd` on the host, and restart the TD',
    },
  ],
  [
    0x0a,
    'ERROR_DEVICE_FAILURE',
    {
      // canonical/tdx#183
      id: 'guest.no-tdx-guest-device',
      meaning:
        'the program in the TD cannot use /dev/tdx_guest: the tdx_guest driver is not loaded',
      causes: [
        'the module tdx_guest is not loaded: in an initramfs it must be included',
        'the program may not open /dev/tdx_guest, or does not run in a TD',
      ],
      next: 'run `modprobe tdx_guest` in the guest, and add it to the initramfs where it is needed there',
    },
  ],
  [
    0x0b,
    'ERROR_INVALID_RTMR_INDEX',
    {
      id: 'guest.attest-rtmr-index',
      meaning: 'this runtime measurement register cannot be extended by a program',
      causes: ['RTMR 0 and 1 belong to the firmware: 2 and 3 are for the system'],
      next: 'extend RTMR 2 or 3',
    },
  ],
  [
    0x0c,
    'ERROR_UNSUPPORTED_ATT_KEY_ID',
    {
      id: 'guest.attest-key-id',
      meaning: 'the program asks for a kind of attestation key that the platform does not have',
      next: 'pass NULL for the list of key ids',
    },
  ],
];

export const tdxAttestCodes: CodeTable = {
  title: 'Codes of libtdx_attest',
  base: 16,
  codes: codes.map(([code, name, answer]) => ({ code, names: [`TDX_ATTEST_${name}`], answer })),
};
