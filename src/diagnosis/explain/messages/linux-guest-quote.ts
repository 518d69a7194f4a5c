/** The tdx_guest driver and configfs-tsm, by which programs in a TD get reports and quotes. */
import type { Answer } from '../answer.ts';
import { messages } from './message.ts';

const noReport: Answer = {
  id: 'guest.report-refused',
  meaning: 'the TDX module refused to make the report of this TD',
  causes: ['two programs asked at the same moment (-16)', 'a defect of the driver or the module'],
  next: 'try again; if it stays so, use a newer kernel in the guest',
};

const noConfigfs: Answer = {
  id: 'guest.configfs-without-provider',
  meaning: 'configfs-tsm has no provider: the tdx_guest driver is not loaded',
  causes: [
    'the module tdx_guest is not loaded, or this is no TD',
    'tdx_guest has no quotes here: the VMM gives no way to ask for them',
  ],
  next: 'run `modprobe tdx_guest` in the guest, and look at `dmesg | grep -i tdx`',
};

const timedOut: Answer = {
  id: 'guest.get-quote-timed-out',
  meaning: 'the host took more than 30 s for a quote, and the guest gave up',
  causes: [
    'QGS does not answer, or waits for PCCS, which waits for Intel',
    'QEMU lost the connection to QGS',
  ],
  next: 'read `journalctl -u qgsd` and the log of QEMU on the host; requests answer EBUSY until the old one ends',
};

export const linuxGuestQuote = messages(
  {
    by: 'Linux',
    place: 'guest',
    source: 'drivers/virt/coco/tdx-guest/tdx-guest.c',
    releases: '6.7 and later',
  },
  [
    {
      says: 'GetQuote hypercall failed, status:{status:hex}',
      answer: {
        id: 'guest.get-quote-refused',
        meaning: 'the VMM refused the request for a quote',
        causes: [
          'the VMM has no quotes (8000000000000000): QEMU before 10.1, or a kernel of the host before 6.16',
          'the VMM is at work on another request, and asks to try again',
        ],
        next: 'use QEMU 10.1 or later with quote-generation-socket; look at its log on the host',
      },
    },
    {
      says: 'GetQuote request timedout',
      answer: timedOut,
    },
    {
      says: 'GetQuote request failed, status:{status:hex}',
      answer: {
        id: 'guest.get-quote-failed',
        meaning: 'the host answered that it made no quote',
        causes: [
          '8000000000000000: QGS failed, and its log says why',
          '8000000000000001: QEMU was not told where QGS is, or does not reach it',
        ],
        next: 'read `journalctl -u qgsd` and the log of QEMU on the host',
      },
      say: ({ status = '' }) =>
        /8000000000000001$/.test(status)
          ? {
              meaning: 'the VMM does not reach its quote service (8000000000000001)',
              causes: [
                'qgsd does not run on the host',
                'QEMU was started without quote-generation-socket',
                'QEMU was given another address or no right to it',
              ],
              next: 'check `systemctl status qgsd` and the log of QEMU on the host',
            }
          : {},
    },
    {
      says: 'Failed to allocate Quote buffer',
      answer: {
        id: 'guest.quote-buffer-not-allocated',
        meaning: 'the tdx_guest driver got no shared memory for quotes, and is not loaded',
        causes: ['the guest has no memory left', 'the VMM refused to share a page (MAPGPA)'],
        next: 'look at the lines before it and at the log of QEMU; then `modprobe tdx_guest` again',
      },
    },
    {
      says: 'Failed to restore encryption mask for Quote buffer, leak it',
      answer: {
        id: 'guest.quote-buffer-leaked',
        rank: 'note',
        meaning: 'two pages stay shared with the host after the tdx_guest driver is gone',
        next: 'nothing; look at the log of QEMU if it comes again',
      },
    },
    {
      says: ['tdx_mcall_get_report0() failed: {errno:int}', 'TDREPORT generation failed'],
      answer: noReport,
    },
    {
      says: 'tdx_mcall_extend_rtmr({register:int}) failed: {errno:int}',
      releases: '6.16 and later',
      answer: {
        id: 'guest.extend-refused',
        meaning: 'the TDX module refused to extend a measurement register (RTMR)',
        causes: ['another program extends at the same moment (-16)', 'no such register (-6)'],
        next: 'extend RTMR 2 or 3, and try again',
      },
    },
    {
      says: '"{name}" ops already registered',
      source: 'drivers/virt/coco/guest/report.c',
      answer: {
        id: 'guest.configfs-provider-taken',
        meaning: 'configfs-tsm has another provider already: there is one per guest',
        next: 'look which: `cat /sys/kernel/config/tsm/report/*/provider`; load only tdx_guest',
      },
    },
    {
      says: [
        'configfs/tsm/report not empty',
        '"{name}" unregistered with items present in configfs/tsm/report',
      ],
      source: 'drivers/virt/coco/guest/report.c',
      answer: {
        id: 'guest.configfs-entries-left',
        rank: 'note',
        meaning: 'a program left its directory in configfs-tsm while the driver was changed',
        next: '`rmdir /sys/kernel/config/tsm/report/*`, then load tdx_guest again',
      },
    },
    {
      says: [
        'mkdir: cannot create directory {quote}/sys/kernel/config/tsm/report/{name:word}{end}: No such device or address',
        '/sys/kernel/config/tsm/report/{file:word}: No such device or address',
      ],
      by: 'programs in a TD',
      source: 'drivers/virt/coco/guest/report.c (ENXIO)',
      answer: noConfigfs,
    },
    {
      says: '/sys/kernel/config/tsm/report/{file:word}: Device or resource busy',
      by: 'programs in a TD',
      source: 'drivers/virt/coco/tdx-guest/tdx-guest.c (EBUSY)',
      answer: {
        id: 'guest.get-quote-busy',
        meaning: 'an earlier request for a quote is still with the host (EBUSY)',
        causes: ['the earlier request timed out or was interrupted, and QGS never answered it'],
        next: 'wait, and read `journalctl -u qgsd` on the host; a reboot of the TD frees it',
      },
    },
    {
      says: '/sys/kernel/config/tsm/report/{file:word}: Connection timed out',
      by: 'programs in a TD',
      source: 'drivers/virt/coco/tdx-guest/tdx-guest.c (ETIMEDOUT)',
      answer: timedOut,
    },
    {
      says: '/sys/kernel/config/tsm/report/{file:word}: Input/output error',
      by: 'programs in a TD',
      source: 'drivers/virt/coco/tdx-guest/tdx-guest.c (EIO)',
      answer: {
        id: 'guest.get-quote-failed',
        meaning: 'the host gave no quote (EIO): the VMM refused the request, or QGS failed',
        causes: ['QEMU has no quote-generation-socket', 'QGS failed, and its log says why'],
        next: 'look at `dmesg | grep GetQuote` in the guest, and `journalctl -u qgsd` on the host',
      },
    },
    {
      says: '/sys/kernel/config/tsm/report/{file:word}: Invalid argument',
      by: 'programs in a TD',
      source: 'drivers/virt/coco/guest/report.c (EINVAL)',
      answer: {
        id: 'guest.report-data-length',
        meaning: 'the report data in inblob is not 64 bytes long, which TDX demands',
        causes: ['a line feed at the end, or a digest shorter than 64 bytes'],
        next: 'write exactly 64 bytes: `dd if=DATA of=…/inblob bs=64 count=1`',
      },
    },
  ],
);
