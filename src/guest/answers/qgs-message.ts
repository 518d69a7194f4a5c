/**
 * What the quote generation service (QGS) is asked and answers, in little-endian order. Source: Intel's
 * qgs_msg_lib.h (SGXDataCenterAttestationPrimitives), version 1.1.
 */
import { QuoteServiceError } from './parts.ts';

const headerBytes = 16;
/** Request and answer have two more words in front of what they carry. */
const headBytes = headerBytes + 8;
const version = { major: 1, minor: 1 };
const types = { GET_QUOTE_REQ: 0, GET_QUOTE_RESP: 1 } as const;

/** What an answer with a quote of so many bytes takes. */
export function answerBytesFor(quoteBytes: number): number {
  return headBytes + quoteBytes;
}

export function quoteRequest(report: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes + report.length);
  const view = viewOf(bytes);
  view.setUint16(0, version.major, true);
  view.setUint16(2, version.minor, true);
  view.setUint32(4, types.GET_QUOTE_REQ, true);
  view.setUint32(8, bytes.length, true);
  view.setUint32(16, report.length, true);
  bytes.set(report, headBytes);
  return bytes;
}

/** @throws QuoteServiceError for an answer that is none, or none with a quote. */
export function quoteIn(answer: Uint8Array): Uint8Array {
  if (answer.length < headerBytes) throw failed(`has ${answer.length} bytes only`);
  const view = viewOf(answer);
  const [major, minor] = [view.getUint16(0, true), view.getUint16(2, true)];
  if (major !== version.major || minor !== version.minor) {
    throw failed(`is of version ${major}.${minor}, not ${version.major}.${version.minor}`);
  }
  const type = view.getUint32(4, true);
  if (type !== types.GET_QUOTE_RESP) throw failed(`is of type ${type}, and no quote`);
  const size = view.getUint32(8, true);
  if (size !== answer.length)
    throw failed(`says ${size} bytes of itself, and has ${answer.length}`);
  const code = view.getUint32(12, true);
  if (code !== 0) {
    throw failed(`is the error 0x${code.toString(16)} (\`tdctl explain\` knows those of qgsd)`);
  }
  if (answer.length < headBytes) throw failed(`has ${answer.length} bytes only`);
  const idBytes = view.getUint32(16, true);
  // It was not given any to select from.
  if (idBytes !== 0)
    throw failed(`selects an identity of ${idBytes} bytes, and none was asked for`);
  const quoteBytes = view.getUint32(20, true);
  const quote = answer.subarray(headBytes);
  if (quote.length === 0) throw failed('has no quote in it');
  if (quote.length !== quoteBytes) {
    throw failed(`announces a quote of ${quoteBytes} bytes, and has ${quote.length}`);
  }
  return quote;
}

function failed(what: string): QuoteServiceError {
  return new QuoteServiceError('failed', `its answer ${what}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
