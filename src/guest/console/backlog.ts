/** Bytes of a console, and how many are missing before them. */
export interface Piece {
  readonly lostBytes: number;
  readonly bytes: Uint8Array;
}

/**
 * What the guest has printed and somebody has not read yet. It is bounded: the oldest bytes are given up, and
 * what is read next says how many are missing, at the place where they are.
 */
export class Backlog {
  readonly #mostBytes: number;
  #pieces: Piece[] = [];
  #heldBytes = 0;
  /** Lost after the last piece. */
  #lostAtEnd = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.#lostAtEnd === 0;
  }

  /** @param lostBytes that came after `bytes` and nobody has. */
  push(bytes: Uint8Array, lostBytes = 0): void {
    if (bytes.length > 0) {
      this.#pieces.push({ lostBytes: this.#lostAtEnd, bytes });
      this.#heldBytes += bytes.length;
      this.#lostAtEnd = 0;
      this.#bound();
    }
    this.#lostAtEnd += lostBytes;
  }

  /** Such as another backlog has given. */
  add({ lostBytes, bytes }: Piece): void {
    this.push(new Uint8Array(), lostBytes);
    this.push(bytes);
  }

  /** Gives all of it, and keeps nothing. */
  take(): Piece[] {
    const taken = this.#pieces;
    if (this.#lostAtEnd > 0) taken.push({ lostBytes: this.#lostAtEnd, bytes: new Uint8Array() });
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#lostAtEnd = 0;
    return taken;
  }

  #bound(): void {
    while (this.#heldBytes > this.#mostBytes) {
      const [oldest] = this.#pieces;
      if (oldest === undefined) return;
      const excess = Math.min(this.#heldBytes - this.#mostBytes, oldest.bytes.length);
      this.#heldBytes -= excess;
      const lostBytes = oldest.lostBytes + excess;
      if (excess < oldest.bytes.length) {
        this.#pieces[0] = { lostBytes, bytes: oldest.bytes.subarray(excess) };
        return;
      }
      this.#pieces.shift();
      this.#loseBeforeNext(lostBytes);
    }
  }

  #loseBeforeNext(lostBytes: number): void {
    const [next] = this.#pieces;
    if (next === undefined) this.#lostAtEnd += lostBytes;
    else this.#pieces[0] = { ...next, lostBytes: next.lostBytes + lostBytes };
  }
}

/** What stands in a stream of bytes in the place of those that are missing. */
export function gapInWords(lostBytes: number): string {
  return `[tdctl: ${lostBytes} bytes of the console are missing here: they came faster than they were read]`;
}

/** The bytes of a piece as a stream has them that goes to a terminal or a file. */
export function bytesOf({ lostBytes, bytes }: Piece): Buffer {
  const gap = lostBytes === 0 ? '' : `\r\n${gapInWords(lostBytes)}\r\n`;
  return Buffer.concat([Buffer.from(gap), bytes]);
}
