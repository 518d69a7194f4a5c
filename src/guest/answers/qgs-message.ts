/**
 * What the quote generation service (QGS) is asked and answers: a length in network order, then a message in
 * little-endian order. Source: Intel's qgs_msg_lib.h (SGXDataCenterAttestationPrimitives), version 1.1.
 */
import { QuoteServiceError } from './parts.ts';

const lengthBytes = 4;
const headerBytes = 16;
const requestBytes = headerBytes + 8;
const responseBytes = headerBytes + 8;
const version = { major: 1, minor: 1 };
const types = { GET_QUOTE_REQ: 0, GET_QUOTE_RESP: 1 } as const;

/** What a reply with a quote of so many bytes takes. */
export function replyBytesFor(quoteBytes: number): number {
  return lengthBytes + responseBytes + quoteBytes;
}

export function quoteRequest(report: Uint8Array): Uint8Array {
  const size = requestBytes + report.length;
  const bytes = new Uint8Array(lengthBytes + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size);
  view.setUint16(4, version.major, true);
  view.setUint16(6, version.minor, true);
  view.setUint32(8, types.GET_QUOTE_REQ, true);
  view.setUint32(12, size, true);
  view.setUint32(20, report.length, true);
  bytes.set(report, lengthBytes + requestBytes);
  return bytes;
}

/** Of a whole reply; undefined until its first bytes are there. */
export function replyLength(received: Uint8Array): number | undefined {
  if (received.length < lengthBytes) return undefined;
  return lengthBytes + viewOf(received).getUint32(0);
}

/** @throws QuoteServiceError for a reply that is none, or none with a quote. */
export function quoteIn(reply: Uint8Array): Uint8Array {
  const view = viewOf(reply);
  if (reply.length < lengthBytes + headerBytes) throw failed(`has ${reply.length} bytes only`);
  const [major, minor] = [view.getUint16(4, true), view.getUint16(6, true)];
  if (major !== version.major || minor !== version.minor) {
    throw failed(`is of version ${major}.${minor}, not ${version.major}.${version.minor}`);
  }
  const type = view.getUint32(8, true);
  if (type !== types.GET_QUOTE_RESP) throw failed(`is of type ${type}, and no quote`);
  const code = view.getUint32(16, true);
  if (code !== 0) throw failed(`is the error 0x${code.toString(16)}`);
  if (reply.length < lengthBytes + responseBytes) throw failed(`has ${reply.length} bytes only`);
  const idBytes = view.getUint32(20, true);
  // It was not given any to select from.
  if (idBytes !== 0)
    throw failed(`selects an identity of ${idBytes} bytes, though none was asked for`);
  const quoteBytes = view.getUint32(24, true);
  const quote = reply.subarray(lengthBytes + responseBytes);
  if (quote.length !== quoteBytes) {
    throw failed(`announces a quote of ${quoteBytes} bytes and has ${quote.length}`);
  }
  return quote;
}

function failed(what: string): QuoteServiceError {
  return new QuoteServiceError('failed', `its reply ${what}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
