/** Lines about quotes: QEMU's side, the quote generation service (QGS), the guest. */
import type { LineRow } from './line-row.ts';

const registered =
  'register the platform (PCKIDRetrievalTool, MPA), and check that PCCS reaches Intel';

export const attestationLines: readonly LineRow[] = [
  {
    pattern: /\b0xe011\b|TDX_ATTEST_ERROR|SGX_QL_(NO_PLATFORM_CERT_DATA|PLATFORM_UNKNOWN)/i,
    answer: {
      // confidential-dot-ai/c8s#387, NVIDIA/NVFlare#5312
      id: 'attestation.platform-not-registered',
      meaning: 'there is no certificate for this platform, so quotes come back empty or fail',
      causes: [
        'the platform was never registered with Intel, or not since its last BIOS or CPU change',
        'PCCS is not reachable, or has no API key',
      ],
      next: registered,
    },
  },
  {
    pattern: /get-quote: failed|TDX: failed to update GetQuote header/i,
    answer: {
      id: 'attestation.quote-buffer',
      meaning: 'QEMU could not read or write the buffer of a quote in the memory of the guest',
      causes: ['the guest gave a private address, or took the memory back'],
      next: 'update the guest kernel: it must share the buffer before it asks',
    },
  },
  {
    pattern: /(qgs|quote.?generation).{0,60}(connect|refused|unavailable|No such file)/i,
    answer: {
      id: 'attestation.no-quote-service',
      meaning: 'the quote generation service (QGS) does not answer',
      next: 'start it: `systemctl status qgsd`; check the socket in -object tdx-guest',
    },
  },
];
