/** What the quote generation service (QGS), its libraries and PCCS print on the host. */
import { messages } from './message.ts';

export const attestation = messages(
  {
    by: 'QGS',
    place: 'host',
    source: 'intel/SGXDataCenterAttestationPrimitives, QuoteGeneration/quote_wrapper',
  },
  [
    {
      says: 'call tee_att_init_quote',
      answer: {
        id: 'qgs.init-quote-called',
        rank: 'healthy',
        meaning: 'QGS begins to make itself ready for quotes; what it came to is in a later line',
        next: 'look for "tee_att_init_quote return" after it',
      },
    },
    {
      says: [
        '[QCNL] Encountered CURL error: (60) {reason}',
        '[QPL] Encountered CURL error: (60) {reason}',
      ],
      by: 'QCNL',
      answer: {
        // canonical/tdx#256
        id: 'qcnl.pccs-certificate-not-trusted',
        meaning: 'QCNL does not trust the certificate of PCCS, which is self-signed as installed',
        causes: [
          'use_secure_cert is true in sgx_default_qcnl.conf, and the certificate of PCCS is self-signed',
        ],
        next: 'give PCCS a certificate that this host trusts; for a test, set "use_secure_cert": false in /etc/sgx_default_qcnl.conf and restart qgsd',
      },
    },
    {
      says: '[QPL] Failed to get quote config. Error code is 0xb033',
      by: 'QPL',
      answer: {
        id: 'qpl.pccs-not-reached-securely',
        rank: 'effect',
        meaning: 'QPL got nothing from PCCS: the connection could not be secured (0xb033)',
        next: 'look for the "[QCNL] Encountered CURL error" line before it; check the certificate of PCCS',
      },
    },
    {
      says: '[QPL] Failed to get quote config. Error code is 0xb010',
      by: 'QPL',
      answer: {
        // canonical/tdx#313
        id: 'qpl.platform-unknown',
        meaning:
          'PCCS and Intel know no certificate for this platform: it is not registered (0xb010)',
        causes: ['the platform was never registered, or not since its last BIOS or CPU change'],
        next: 'register the platform (PCKIDRetrievalTool, or mpa_registration), then restart qgsd',
      },
    },
    {
      says: 'Error returned from the p_sgx_get_quote_config API. 0x{code:hex}',
      answer: {
        id: 'qgs.no-quote-config',
        rank: 'effect',
        meaning:
          'QGS has no certificate data for quotes, because QPL got none; lines before say why',
        next: 'look for the "[QPL]" and "[QCNL]" lines before it',
      },
    },
    {
      says: [
        'tee_att_init_quote return 0x{code:hex}',
        'tee_att_get_quote_size return 0x{code:hex}',
      ],
      answer: {
        id: 'qgs.not-ready',
        rank: 'effect',
        meaning: 'QGS cannot make quotes; lines before say why',
        next: 'look for the first "[QCNL]" or "[QPL]" line before it',
      },
      say: ({ code = '' }) =>
        /^0+$/.test(code)
          ? {
              rank: 'healthy',
              meaning: 'QGS is ready for quotes (it returned 0)',
              next: 'nothing to do',
            }
          : {},
    },
    {
      says: 'tdx_att_get_quote failed: 0xe011',
      answer: {
        // confidential-dot-ai/c8s#387, NVIDIA/NVFlare#5312
        id: 'attestation.platform-not-registered',
        meaning: 'there is no certificate for this platform, so quotes come back empty or fail',
        causes: [
          'the platform was never registered with Intel, or not since its last BIOS or CPU change',
          'PCCS is not reachable, or has no API key',
        ],
        next: 'register the platform (PCKIDRetrievalTool, MPA), and check that PCCS reaches Intel',
      },
    },
    {
      says: 'Intel PCS server returns error(404)',
      by: 'PCCS',
      source: 'intel/SGXDataCenterAttestationPrimitives, QuoteGeneration/pccs',
      answer: {
        id: 'pccs.intel-does-not-know',
        rank: 'effect',
        meaning: 'Intel has nothing for what PCCS asked: it does not know the platform (404)',
        next: 'look at the error after it; register the platform',
      },
    },
    {
      says: 'No cache data for this platform',
      by: 'PCCS',
      source: 'intel/SGXDataCenterAttestationPrimitives, QuoteGeneration/pccs',
      answer: {
        // canonical/tdx#338
        id: 'pccs.platform-not-registered',
        meaning:
          'PCCS has no certificates for this platform, and got none from Intel: it is not registered',
        causes: ['the platform was never registered, or not since its last BIOS or CPU change'],
        next: 'register the platform (PCKIDRetrievalTool, or mpa_registration), then ask for a quote again',
      },
    },
  ],
);

/** What the library and the clients inside a TD print. */
export const guestAttestation = messages(
  {
    by: 'libtdx_attest',
    place: 'guest',
    source: 'intel/SGXDataCenterAttestationPrimitives, QuoteGeneration/quote_wrapper/tdx_attest',
  },
  [
    {
      says: [
        '{call:word} failed, return TDX_ATTEST_ERROR_DEVICE_FAILURE',
        'TDX_ATTEST_ERROR_DEVICE_FAILURE',
      ],
      answer: {
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
