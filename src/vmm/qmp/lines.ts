/** Takes the lines out of a stream of bytes. One that does not end is not waited for for ever. */

export class LineTooLong extends Error {
  constructor(mostBytes: number) {
    super(`a line of more than ${mostBytes} bytes`);
  }
}

const lineEnd = 0x0a;

export class Lines {
  readonly #mostBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** @returns the lines that end in these bytes. @throws LineTooLong. */
  take(bytes: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, start)) {
      this.#keep(bytes.subarray(start, end));
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
    }
    this.#keep(bytes.subarray(start));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#mostBytes) throw new LineTooLong(this.#mostBytes);
    if (part.length > 0) this.#parts.push(part);
  }
}
