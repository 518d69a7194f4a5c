/**
 * The head of the shared buffer of TDG.VP.VMCALL<GetQuote>, 24 bytes, which guest and host both write. Source:
 * the GHCI, "TDG.VP.VMCALL<GetQuote>", and struct tdx_quote_buf in drivers/virt/coco/tdx-guest/tdx-guest.c.
 */
export const quoteHeaderBytes = 24;

/** `error_code`: how far the host is. */
export const quoteStatuses = {
  SUCCESS: 0n,
  IN_FLIGHT: 0xffff_ffff_ffff_ffffn,
  ERROR: 0x8000_0000_0000_0000n,
  SERVICE_UNAVAILABLE: 0x8000_0000_0000_0001n,
} as const;

export type QuoteStatus = keyof typeof quoteStatuses;

export interface QuoteHeader {
  readonly version: bigint;
  readonly status: bigint;
  /** How many bytes after the header the guest hands over, and how many it gets. */
  readonly inBytes: number;
  readonly outBytes: number;
}

export function readQuoteHeader(bytes: Uint8Array): QuoteHeader {
  const view = viewOf(bytes);
  return {
    version: view.getBigUint64(0, true),
    status: view.getBigUint64(8, true),
    inBytes: view.getUint32(16, true),
    outBytes: view.getUint32(20, true),
  };
}

export function writeQuoteHeader({ version, status, inBytes, outBytes }: QuoteHeader): Uint8Array {
  const bytes = new Uint8Array(quoteHeaderBytes);
  const view = viewOf(bytes);
  view.setBigUint64(0, version, true);
  view.setBigUint64(8, status, true);
  view.setUint32(16, inBytes, true);
  view.setUint32(20, outBytes, true);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
