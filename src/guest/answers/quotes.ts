/**
 * TDG.VP.VMCALL<GetQuote>: the guest hands over its TDREPORT in shared memory, and finds a quote there later. The
 * call itself returns at once; how far the host is stands in the buffer.
 */
import { tdVmCallStatuses } from '../../abi/tdx/tdvmcall.ts';
import { rangeInWords } from './conversions.ts';
import {
  type AnswerParts,
  type GuestRange,
  type GuestSlot,
  type QuoteService,
  QuoteServiceError,
} from './parts.ts';
import { answerBytesFor, quoteIn, quoteRequest } from './qgs-message.ts';
import {
  type QuoteHeader,
  type QuoteStatus,
  quoteHeaderBytes,
  quoteStatuses,
  readQuoteHeader,
  writeQuoteHeader,
} from './quote-header.ts';

const { SUCCESS, RETRY, INVALID_OPERAND, ALIGN_ERROR } = tdVmCallStatuses;

const pageBytes = 4096n;
/** The only layout of the buffer that there is. */
const knownVersion = 1n;
/** These bounds are QEMU's (target/i386/kvm/tdx.c). */
const mostBufferBytes = 128n * 1024n;
const mostInFlight = 16;

/** The buffer of one request, in the memory that the guest shares. */
class QuoteBuffer {
  readonly range: GuestRange;
  readonly #slot: GuestSlot;
  readonly #offsetBytes: bigint;

  constructor(slot: GuestSlot, range: GuestRange) {
    this.#slot = slot;
    this.range = range;
    this.#offsetBytes = range.gpa - slot.gpa;
  }

  get payloadBytes(): number {
    return Number(this.range.sizeBytes) - quoteHeaderBytes;
  }

  header(): QuoteHeader {
    return readQuoteHeader(this.#slot.memory.read(this.#offsetBytes, quoteHeaderBytes));
  }

  payload(lengthBytes: number): Uint8Array {
    return this.#slot.memory.read(this.#offsetBytes + BigInt(quoteHeaderBytes), lengthBytes);
  }

  /** The status comes last: a guest that looks meanwhile finds the old one. */
  tell(header: QuoteHeader, status: QuoteStatus, quote: Uint8Array = new Uint8Array()): void {
    const { memory } = this.#slot;
    const offsetBytes = this.#offsetBytes;
    if (quote.length > 0) {
      memory.write({ offsetBytes: offsetBytes + BigInt(quoteHeaderBytes), bytes: quote });
    }
    const outBytes = quote.length > 0 ? quote.length : header.outBytes;
    const told = writeQuoteHeader({ ...header, status: quoteStatuses[status], outBytes });
    memory.write({ offsetBytes, bytes: told });
  }
}

interface InFlight {
  readonly buffer: QuoteBuffer;
  readonly header: QuoteHeader;
  readonly leaving: AbortController;
}

export interface QuotesOptions extends Pick<AnswerParts, 'slots' | 'quotes' | 'warn'> {
  /** A request is done, in whatever way. */
  readonly onDone: () => void;
}

export class Quotes {
  readonly #options: QuotesOptions;
  readonly #inFlight = new Set<InFlight>();

  constructor(options: QuotesOptions) {
    this.#options = options;
  }

  /** The status of the call itself. */
  ask(range: GuestRange): bigint {
    const { slots, quotes } = this.#options;
    if (range.sizeBytes === 0n) return INVALID_OPERAND;
    if (range.gpa % pageBytes !== 0n || range.sizeBytes % pageBytes !== 0n) return ALIGN_ERROR;
    if (range.sizeBytes > mostBufferBytes) return INVALID_OPERAND;
    const slot = slots.find((each) => contains(each, range));
    if (slot === undefined) return INVALID_OPERAND;
    const buffer = new QuoteBuffer(slot, range);
    const header = buffer.header();
    const isKnown = header.version === knownVersion && header.inBytes <= buffer.payloadBytes;
    if (!isKnown) return INVALID_OPERAND;
    if (quotes === undefined) {
      buffer.tell(header, 'SERVICE_UNAVAILABLE');
      return SUCCESS;
    }
    if (this.#inFlight.size >= mostInFlight) return RETRY;
    const report = buffer.payload(header.inBytes);
    buffer.tell(header, 'IN_FLIGHT');
    const request = { buffer, header, leaving: new AbortController() };
    // The memory may be gone by the time that the guest is to be told.
    this.#fetch(request, { report, quotes }).catch((error) => this.#options.warn(String(error)));
    return SUCCESS;
  }

  /** Whoever waits for a quote is told that none comes. */
  close(): void {
    for (const { leaving } of this.#inFlight) leaving.abort();
  }

  async #fetch(
    request: InFlight,
    { report, quotes }: { readonly report: Uint8Array; readonly quotes: QuoteService },
  ): Promise<void> {
    const { buffer, header, leaving } = request;
    const { warn, onDone } = this.#options;
    this.#inFlight.add(request);
    try {
      const answer = await quotes.ask(quoteRequest(report), {
        signal: leaving.signal,
        mostBytes: answerBytesFor(buffer.payloadBytes),
      });
      buffer.tell(header, 'SUCCESS', quoteIn(answer));
    } catch (error) {
      const failure = error instanceof QuoteServiceError ? error : undefined;
      buffer.tell(header, failure?.kind === 'unavailable' ? 'SERVICE_UNAVAILABLE' : 'ERROR');
      warn(
        `no quote for the guest's request at ${rangeInWords(buffer.range)}: ${quotes.name}: ${failure?.message ?? String(error)}`,
      );
    } finally {
      this.#inFlight.delete(request);
      onDone();
    }
  }
}

function contains(slot: GuestSlot, { gpa, sizeBytes }: GuestRange): boolean {
  return gpa >= slot.gpa && gpa + sizeBytes <= slot.gpa + slot.sizeBytes;
}
