/**
 * The first line of each side: what it speaks, in which version, and who it is. Any version can read it, so that two
 * that cannot go on say why.
 */
import { NotTheProtocol } from './frames.ts';

/** It is raised when a message changes that the other side may send or read. */
export const protocolVersion = 2;

const head = 'tdctl-shared-host';
const maxBytes = 4096;

export interface Greeting {
  readonly protocol: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function greetingLine(fields: Greeting['fields'], protocol = protocolVersion): string {
  return `${head} ${protocol} ${JSON.stringify(fields)}\n`;
}

/** Collects the first line, and gives what has come after it too. */
export class GreetingReader {
  #taken = Buffer.alloc(0);

  /** @returns undefined as long as the line is not whole. @throws NotTheProtocol */
  take(chunk: Buffer): { readonly greeting: Greeting; readonly rest: Buffer } | undefined {
    this.#taken = Buffer.concat([this.#taken, chunk]);
    const start = this.#taken.subarray(0, head.length + 1).toString('latin1');
    if (!`${head} `.startsWith(start)) throw new NotTheProtocol('who answers is no shared host');
    const end = this.#taken.indexOf('\n');
    if (end > maxBytes || (end < 0 && this.#taken.length > maxBytes)) {
      throw new NotTheProtocol('the first line has no end');
    }
    if (end < 0) return undefined;
    return {
      greeting: parse(this.#taken.subarray(0, end).toString('utf8')),
      rest: this.#taken.subarray(end + 1),
    };
  }
}

function parse(line: string): Greeting {
  const [, protocol = '', text = ''] = /^\S+ (\d{1,9}) (\{.*\})$/.exec(line) ?? [];
  try {
    return { protocol: Number(protocol), fields: JSON.parse(text) };
  } catch {
    throw new NotTheProtocol('the first line has another form');
  }
}
