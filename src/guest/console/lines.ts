/** The bytes of a console as lines of text, for who reads them beside other lines. */

/** A longer line is given in parts: a guest may never end one. */
const mostCharacters = 4096;

export interface ConsoleLine {
  /** As the guest wrote it, without its end. It may hold anything. */
  readonly text: string;
  /** It goes on with the line before, which was given before it had come to its end. */
  readonly goesOn: boolean;
}

export class ConsoleLines {
  readonly #decoder = new TextDecoder();
  #open = '';
  #goesOn = false;

  /** The lines that have come to their end by this. */
  add(bytes: Uint8Array): ConsoleLine[] {
    const [first = '', ...rest] = this.#decoder.decode(bytes, { stream: true }).split('\n');
    const given = this.#grow(first);
    for (const text of rest) given.push(...this.#end(), ...this.#grow(text));
    return given;
  }

  /** What has come of a line that has no end yet, such as a prompt. */
  openLine(): ConsoleLine[] {
    return this.#open === '' ? [] : [this.#part(this.#open)];
  }

  #grow(text: string): ConsoleLine[] {
    const given: ConsoleLine[] = [];
    this.#open += text;
    while (this.#open.length > mostCharacters) {
      const rest = this.#open.slice(mostCharacters);
      given.push(this.#part(this.#open.slice(0, mostCharacters)));
      this.#open = rest;
    }
    return given;
  }

  #part(text: string): ConsoleLine {
    const line = { text: withoutReturns(text), goesOn: this.#goesOn };
    this.#goesOn = true;
    this.#open = '';
    return line;
  }

  #end(): ConsoleLine[] {
    const isShown = this.#goesOn && withoutReturns(this.#open) === '';
    const given = isShown ? [] : [this.#part(this.#open)];
    this.#open = '';
    this.#goesOn = false;
    return given;
  }
}

/** Linux ends a line with \r\n, and EFI also with \n\r. */
function withoutReturns(text: string): string {
  return text.replace(/^\r+|\r+$/g, '');
}
