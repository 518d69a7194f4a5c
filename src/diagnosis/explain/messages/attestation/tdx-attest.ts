/** What libtdx_attest and its callers print inside a TD. */
import { inDecimal, namesOf } from '../codes.ts';
import { messages } from '../message.ts';
import { quoteCodes } from './dcap-codes.ts';
import { qgsCodes, qgsWithoutQuote } from './qgs-codes.ts';
import { hostGaveNoQuote, tdxAttestCodes, vsockFailed } from './tdx-attest-codes.ts';

const noQuote = {
  id: 'guest.quote-not-made',
  rank: 'effect',
  meaning: 'a program in the TD got no quote',
  causes: ['QGS of the host made none: its log says why', 'the way to QGS is not set up'],
  next: 'read `journalctl -u qgsd` and the log of QEMU on the host',
} as const;

export const tdxAttest = messages(
  {
    by: 'libtdx_attest',
    place: 'guest',
    source: 'intel/confidential-computing.tee.dcap, QuoteGeneration/quote_wrapper/tdx_attest',
  },
  [
    {
      says: ['tdx_att_get_quote failed: 0x{code:hex}', 'tdx_att_get_quote return 0x{code:hex}'],
      by: 'programs in a TD',
      codes: [tdxAttestCodes, quoteCodes],
      answer: noQuote,
    },
    {
      says: [
        'tdx_att_get_quote failed with error code: {code:int}',
        'tdx_att_get_quote failed with result: {code:int}',
        'tdx_att_get_quote failed (code {code:int})',
      ],
      by: 'programs in a TD',
      codes: [inDecimal(tdxAttestCodes), inDecimal(quoteCodes)],
      answer: noQuote,
    },
    {
      says: ['Failed to get the quote', 'tdx_att_get_quote failed'],
      by: 'programs in a TD',
      answer: noQuote,
    },
    {
      says: 'QGS error code: 0x{code:hex}',
      by: 'programs in a TD',
      source: 'Dstack-TEE/dstack, tdx-attest; google/go-tdx-guest',
      codes: [qgsCodes],
      answer: qgsWithoutQuote,
    },
    {
      says: 'TSM provider returned an empty quote without an error',
      by: 'the attestation agent',
      source: 'confidential-containers/guest-components, attester/src/tdx',
      answer: hostGaveNoQuote,
    },
    {
      says: 'TDX DCAP ioctls: support not available',
      by: 'the attestation agent',
      source: 'confidential-containers/guest-components, attester/src/tdx',
      answer: {
        // confidential-containers/guest-components#1043
        id: 'guest.attester-without-ioctl',
        rank: 'effect',
        meaning:
          'the attestation agent got no quote by configfs-tsm, and was built without the older way by ioctl',
        causes: [
          'configfs-tsm is not there or has no provider: the words before it say at what it failed',
          'the agent does not run as root, or its container does not see /sys/kernel/config',
        ],
        next: 'as root in the guest: `mkdir /sys/kernel/config/tsm/report/t && cat /sys/kernel/config/tsm/report/t/provider` must say tdx_guest',
      },
    },
    ...namesOf(tdxAttestCodes),
    {
      says: [
        'libtdx_attest: configFS not supported - fallback to TDcall mode',
        'libtdx_attest: cannot parse sock port - fallback to tdvmcall mode',
        'libtdx_attest: cannot parse sock port - use configfs mode',
        "libtdx_attest: env '{name:word}' is not provided - try default path",
      ],
      answer: {
        id: 'guest.attest-way',
        rank: 'note',
        meaning:
          'libtdx_attest takes the next of its ways to a quote: vsock, configfs-tsm, TDVMCALL',
        next: 'nothing, unless an error of libtdx_attest follows',
      },
    },
    {
      says: [
        'libtdx_attest: cannot connect - fallback to tdvmcall mode',
        'libtdx_attest: cannot create socket',
        'libtdx_attest: cannot connect socket',
      ],
      answer: vsockFailed,
    },
    {
      says: [
        'libtdx_attest: unavailable default configFS',
        'libtdx_attest: cannot create default configFS',
        'libtdx_attest: cannot open configFS `{path:word}`',
        'libtdx_attest: configFS unsupported provider',
        'libtdx_attest: failed to open configFS {file:word}',
        'libtdx_attest: failed to lock configFS {file:word}',
        'libtdx_attest: failed to read configFS generation',
        'libtdx_attest: no content of configFS generation',
        'libtdx_attest: too large configFS generation',
        'libtdx_attest: cannot parse configFS generation',
        "libtdx_attest: env '{name:word}' is too long",
        "libtdx_attest: env '{name:word}' is not valid directory",
      ],
      answer: {
        id: 'guest.attest-configfs',
        meaning: 'libtdx_attest cannot use configfs-tsm, by which the kernel gives quotes',
        causes: [
          'the program does not run as root',
          'configfs is not mounted, or the container does not see /sys/kernel/config',
          'the tdx_guest driver is not the provider',
        ],
        next: 'as root in the guest: `mkdir /sys/kernel/config/tsm/report/t && cat /sys/kernel/config/tsm/report/t/provider` must say tdx_guest',
      },
    },
    {
      says: [
        'libtdx_attest: failed to write configFS inblob',
        'libtdx_attest: failed to read configFS outblob',
        'libtdx_attest: failed to get quote in configFS mode',
        'libtdx_attest: cannot get quote by TD call',
      ],
      answer: hostGaveNoQuote,
    },
    {
      says: 'could not get the quote: inappropriate ioctl for device',
      by: 'go-tdx-guest',
      source: 'google/go-tdx-guest, client',
      answer: {
        // google/go-tdx-guest#28
        id: 'guest.no-quote-ioctl',
        meaning:
          'the kernel of the guest has no ioctl for quotes: upstream kernels give them by configfs-tsm only',
        causes: [
          'the client asks /dev/tdx_guest for a quote, which vendor kernels before 6.7 offered',
        ],
        next: 'use a client that goes by configfs-tsm (/sys/kernel/config/tsm/report), and Linux 6.7 or later',
      },
    },
  ],
);
