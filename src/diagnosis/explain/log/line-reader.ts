/**
 * Looks through the bytes of a log for lines that have a word of interest, in memory that does not
 * grow with the log. All else of the log is never made text.
 *
 * A word is found across the end of a line too, since mail clients cut lines anywhere, and across an escape
 * sequence inside it, since some programs colour half a word.
 */
import { type Automaton, classOfByte, classOfUnderscore, stateStride } from './automaton.ts';

/** What is kept of one line. Kernel lines end at 1 KiB; journals as JSON and QEMU command lines are longer. */
const MAX_LINE_BYTES = 64 * 1024;
/** How much of a log is looked through at once. */
const BLOCK_BYTES = 256 * 1024;

/** How far around a line its message may be spread. */
const NEAR_LINES = 24;
const NEAR_BYTES = 4096;

const LF = 10;
const CR = 13;
const ESC = 27;

const messageKey = 'message';
const escapesInJson: readonly string[] = ['u001b', 'u00a0', 'u200b'];

/** JSON hides words: its messages may be arrays of bytes, and have escapes inside words. */
export const wordsOfForms: readonly string[] = [messageKey, ...escapesInJson];

export interface WordsOfInterest {
  readonly automaton: Automaton;
  /** By the index of the word: a sum of these. */
  readonly weights: readonly number[];
}

/** What a word makes of its line. */
export const weights = {
  /** It is looked at. */
  enough: 1,
  /** It is looked at if a telling word is in it, or in the lines around that it may be one with. */
  named: 2,
  telling: 4,
} as const;

/** Over as many lines a message may be cut, from its name to the word that tells how it went. */
const TELLING_LINES = 5;

const MINUS = 45;

/** A line with a word of interest, and those around it. */
export interface Hit {
  /** From 1. */
  readonly line: number;
  /** The line at a distance: 0 itself, -1 the one before; undefined where the log or what is near ends. */
  readonly at: (distance: number) => string | undefined;
  /** Whether the line at a distance has a word that tells how something went. */
  readonly isTelling: (distance: number) => boolean;
  /** The indexes of the words that end in the line at a distance; undefined where they were not looked for. */
  readonly wordsAt: (distance: number) => readonly number[] | undefined;
}

const noWords: readonly number[] = [];

export class LineReader {
  readonly #automaton: Automaton;
  readonly #weights: readonly number[];
  readonly #onHit: (hit: Hit) => void;
  #bytes = new Uint8Array();
  /** The number of the first line in #bytes, from 1. */
  #firstLine = 1;
  /** Hits up to this line have been told. */
  #toldUpTo = 0;
  /** Inside a line that is too long: the rest of it is dropped. */
  #skipping = false;
  #linesRead = 0;

  constructor({ automaton, weights: byWord }: WordsOfInterest, onHit: (hit: Hit) => void) {
    this.#automaton = automaton;
    this.#weights = byWord;
    this.#onHit = onHit;
  }

  /** The lines of all that was pushed; after end(). */
  get linesRead(): number {
    return this.#linesRead;
  }

  push(chunk: Uint8Array): void {
    for (let start = 0; start < chunk.length; start += BLOCK_BYTES) {
      const piece = this.#withoutSkipped(chunk.subarray(start, start + BLOCK_BYTES));
      this.#bytes = Buffer.concat([this.#bytes, piece]);
      if (this.#bytes.length >= BLOCK_BYTES) this.#look({ isEnd: false });
    }
  }

  end(): void {
    this.#look({ isEnd: true });
  }

  #withoutSkipped(piece: Uint8Array): Uint8Array {
    if (!this.#skipping) return piece;
    const [lf, cr] = [piece.indexOf(LF), piece.indexOf(CR)];
    const end = lf === -1 || cr === -1 ? Math.max(lf, cr) : Math.min(lf, cr);
    this.#skipping = end === -1;
    return end === -1 ? new Uint8Array() : piece.subarray(end);
  }

  #look({ isEnd }: { readonly isEnd: boolean }): void {
    const { starts, ends, weighed, words } = this.#scan(isEnd);
    /** Neighbours are asked for again and again. */
    const texts: (string | undefined)[] = [];
    const bytes = this.#bytes;
    const told = isEnd ? starts.length : this.#firstNear(starts, ends);
    const at = (index: number) => (texts[index] ??= textAt(bytes, starts, ends, index));
    for (const index of hitsAmong(weighed)) {
      const line = this.#firstLine + index;
      if (index >= told || line <= this.#toldUpTo) continue;
      this.#onHit({
        line,
        at: (distance) => at(index + distance),
        isTelling: (distance) => ((weighed[index + distance] ?? 0) & weights.telling) !== 0,
        wordsAt: (distance) => words[index + distance] ?? noWords,
      });
    }
    this.#toldUpTo = Math.max(this.#toldUpTo, this.#firstLine + told - 1);
    this.#linesRead = this.#firstLine + starts.length - 1;
    if (!isEnd) this.#forget(starts, told);
  }

  /** Keeps what is near the first line that was not told, and the line without an end. */
  #forget(starts: readonly number[], told: number): void {
    const from = starts[told] ?? starts.at(-1) ?? 0;
    let first = Math.max(0, told - NEAR_LINES);
    while (first < told && from - (starts[first] ?? 0) > NEAR_BYTES) first += 1;
    this.#bytes = this.#bytes.subarray(starts[first] ?? this.#bytes.length);
    this.#firstLine += first;
    const lastStart = (starts.at(-1) ?? 0) - (starts[first] ?? 0);
    if (this.#bytes.length - lastStart <= MAX_LINE_BYTES) return;
    this.#bytes = this.#bytes.subarray(0, lastStart + MAX_LINE_BYTES);
    this.#skipping = true;
  }

  /** The first line whose neighbours may not all have been read. The last line may have no end yet. */
  #firstNear(starts: readonly number[], ends: readonly number[]): number {
    const last = starts.length - 1;
    let first = last;
    const end = starts[last] ?? 0;
    while (first > 0 && last - first < NEAR_LINES && end - (ends[first - 1] ?? 0) < NEAR_BYTES)
      first -= 1;
    return first;
  }

  /** Whether it does where it began before an end of line or an escape sequence is not looked at. */
  #standsAlone(word: string, textStart: number, last: number): boolean {
    const bytes = this.#bytes;
    if (word === messageKey) return isBeginOfArray(bytes, last + 1);
    if (escapesInJson.includes(word)) return true;
    const first = last - word.length + 1;
    if (isInWord(bytes[last + 1])) return false;
    return first <= textStart || !isInWord(bytes[first - 1]);
  }

  /** Where lines begin and end, their words, and what these weigh together; the last has no end yet. */
  #scan(isEnd: boolean): Scanned {
    const bytes = this.#bytes;
    const { next, isEnd: isWord } = this.#automaton;
    const starts = [0];
    const ends: number[] = [];
    const weighed: number[] = [];
    const words: (number[] | undefined)[] = [];
    let own: number[] | undefined;
    let state = 0;
    let weight = 0;
    /** Where the text of the line begins, as far as no escape sequence is in it. */
    let textStart = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LF || byte === CR) {
        ends.push(at);
        weighed.push(weight);
        words.push(own);
        weight = 0;
        own = undefined;
        if (byte === CR && bytes[at + 1] === LF) at += 1;
        starts.push(at + 1);
        textStart = beginOfText(bytes, at + 1);
        at = textStart - 1;
        continue;
      }
      if (byte === ESC) {
        at = endOfEscape(bytes, at);
        textStart = at + 1;
        continue;
      }
      if (byte === MINUS && isErrno(bytes, at)) weight |= weights.telling;
      state = next[state + (classOfByte[byte] ?? 0)] ?? 0;
      if (state === 0 || isWord[state / stateStride] === 0) continue;
      for (const word of this.#automaton.endingIn(state)) {
        if (!this.#standsAlone(this.#automaton.words[word] ?? '', textStart, at)) continue;
        weight |= this.#weights[word] ?? 0;
        own ??= [];
        if (!own.includes(word)) own.push(word);
      }
    }
    ends.push(bytes.length);
    weighed.push(weight);
    words.push(own);
    if (isEnd && starts.at(-1) === bytes.length) starts.pop();
    return { starts, ends, weighed, words };
  }
}

interface Scanned {
  readonly starts: number[];
  readonly ends: number[];
  readonly weighed: number[];
  readonly words: readonly (readonly number[] | undefined)[];
}

/** The lines to look at. */
function hitsAmong(weighed: readonly number[]): number[] {
  const hits: number[] = [];
  let lastTelling = Number.NEGATIVE_INFINITY;
  /** Named, and no telling word so far. */
  let waiting: number[] = [];
  for (const [index, weight] of weighed.entries()) {
    if ((weight & weights.telling) !== 0) {
      lastTelling = index;
      hits.push(...waiting.filter((named) => index - named <= TELLING_LINES));
      waiting = [];
    }
    const isTold = index - lastTelling <= TELLING_LINES;
    if ((weight & weights.enough) !== 0 || ((weight & weights.named) !== 0 && isTold))
      hits.push(index);
    else if ((weight & weights.named) !== 0) waiting.push(index);
    if (waiting.length > TELLING_LINES) waiting = waiting.slice(-TELLING_LINES);
  }
  return hits.sort((a, b) => a - b);
}

/** `(-28)`, `= -28`: a number behind a minus that is none of a date or a range. */
function isErrno(bytes: Uint8Array, at: number): boolean {
  const digit = bytes[at + 1] ?? 0;
  return digit >= 0x30 && digit <= 0x39 && !isInWord(bytes[at - 1]);
}

function isInWord(byte: number | undefined): boolean {
  const symbol = classOfByte[byte ?? 0] ?? 0;
  return symbol !== 0 && symbol !== classOfUnderscore;
}

/** Behind `"MESSAGE"`: the array of bytes that journalctl writes a message with control characters as. */
function isBeginOfArray(bytes: Uint8Array, from: number): boolean {
  if (bytes[from] !== 0x22) return false;
  let at = from + 1;
  while (bytes[at] === 32 || bytes[at] === 0x3a) at += 1;
  return bytes[at] === 0x5b;
}

/** Behind the indentation and the marks of a quotation that a wrapped line may begin with. */
function beginOfText(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 32 || bytes[at] === 9 || bytes[at] === 62) at += 1;
  return at;
}

/** The last byte of `ESC [ 31 m`; of anything else behind ESC, ESC itself. */
function endOfEscape(bytes: Uint8Array, from: number): number {
  if (bytes[from + 1] !== 0x5b) return from;
  let at = from + 2;
  while (
    at < bytes.length &&
    at < from + 32 &&
    ((bytes[at] ?? 0) < 0x40 || (bytes[at] ?? 0) > 0x7e)
  )
    at += 1;
  return at;
}

const decoder = new TextDecoder('utf-8');

function textAt(
  bytes: Uint8Array,
  starts: readonly number[],
  ends: readonly number[],
  index: number,
): string | undefined {
  const start = starts[index];
  if (start === undefined) return undefined;
  return decoder.decode(
    bytes.subarray(start, Math.min(ends[index] ?? start, start + MAX_LINE_BYTES)),
  );
}
