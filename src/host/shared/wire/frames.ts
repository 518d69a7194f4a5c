/**
 * Messages in frames: two little-endian 32-bit lengths, that of all that follows them and that of the JSON; the JSON,
 * a list of messages; and the bytes that the messages have, one after the other.
 */
import { type Decoding, decode, type Encoding, encode, type Json } from './values.ts';

const headBytes = 8;
/** What is longer is refused before any of it is kept. */
export const maxFrameBytes = 8 * 1024 * 1024;
/** A frame is sent on its way when it has got so long. */
const fullFrameBytes = 1024 * 1024;

/** A message that no frame has room for: the caller's request was too large. */
export class MessageTooLong extends RangeError {}

/** A peer that does not speak the protocol, or speaks it wrongly. */
export class NotTheProtocol extends Error {}

/** Messages that wait to be sent, together. */
export class FrameWriter {
  readonly #encoding: Encoding;
  readonly #send: (frame: Buffer) => void;
  #texts: string[] = [];
  #bytes: Uint8Array[] = [];
  #length = 0;

  constructor(encoding: Encoding, send: (frame: Buffer) => void) {
    this.#encoding = encoding;
    this.#send = send;
  }

  /** @throws MessageTooLong, and TypeError for what cannot be sent; nothing of the message is sent then. */
  add(message: unknown): void {
    const { text, bytes } = encode(message, this.#encoding);
    // A character has at most three bytes in UTF-8 for each unit that a string counts.
    const length = text.length * 3 + lengthOf(bytes) + 2;
    if (headBytes + length > maxFrameBytes) {
      throw new MessageTooLong('this request is too large for a shared host');
    }
    if (this.#length + length > maxFrameBytes - headBytes) this.flush();
    this.#texts.push(text);
    // The bytes may change before they are sent.
    for (const each of bytes) this.#bytes.push(Uint8Array.from(each));
    this.#length += length;
    if (this.#length > fullFrameBytes) this.flush();
  }

  flush(): void {
    if (this.#texts.length === 0) return;
    const json = `[${this.#texts.join(',')}]`;
    const jsonLength = Buffer.byteLength(json);
    const restLength = 4 + jsonLength + lengthOf(this.#bytes);
    const frame = Buffer.allocUnsafe(4 + restLength);
    frame.writeUInt32LE(restLength, 0);
    frame.writeUInt32LE(jsonLength, 4);
    let at = headBytes + frame.write(json, headBytes);
    for (const bytes of this.#bytes) {
      frame.set(bytes, at);
      at += bytes.length;
    }
    this.#texts = [];
    if (this.#bytes.length > 0) this.#bytes = [];
    this.#length = 0;
    this.#send(frame);
  }
}

function lengthOf(all: readonly Uint8Array[]): number {
  let length = 0;
  for (const each of all) length += each.length;
  return length;
}

/** Takes what has come, in whatever pieces, and gives whole frames. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** @throws NotTheProtocol for a length that no frame has. */
  *take(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    for (;;) {
      const [rest, jsonLength] = this.#head() ?? [];
      if (rest === undefined || jsonLength === undefined) return;
      if (rest > maxFrameBytes || jsonLength + 4 > rest) {
        throw new NotTheProtocol('what came is not of the form of a message');
      }
      if (this.#length < 4 + rest) return;
      const all = this.#joined();
      const end = 4 + rest;
      yield new Frame(
        all.subarray(headBytes, headBytes + jsonLength),
        all.subarray(headBytes + jsonLength, end),
      );
      this.#length -= end;
      // An empty rest would have to be put together with what comes next.
      this.#chunks = this.#length === 0 ? [] : [all.subarray(end)];
    }
  }

  #head(): [number, number] | undefined {
    if (this.#length < headBytes) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < headBytes) this.#joined();
    const [first] = this.#chunks;
    return first && [first.readUInt32LE(0), first.readUInt32LE(4)];
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

class Frame {
  readonly #messages: readonly Json[];
  readonly #bytes: Buffer;
  #taken = 0;

  constructor(json: Buffer, bytes: Buffer) {
    this.#messages = messagesOf(json);
    this.#bytes = bytes;
  }

  /** The messages, each decoded when it is its turn: what it names may be made by the one before. */
  *messages(decoding: Decoding): Generator<unknown> {
    for (const message of this.#messages) {
      yield decode(message, (length) => this.#next(length), decoding);
    }
  }

  #next(length: number): Uint8Array {
    const end = this.#taken + length;
    if (!(length >= 0) || end > this.#bytes.length) {
      throw new NotTheProtocol('a message has fewer bytes than it says');
    }
    const bytes = Uint8Array.from(this.#bytes.subarray(this.#taken, end));
    this.#taken = end;
    return bytes;
  }
}

function messagesOf(json: Buffer): readonly Json[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString('utf8'));
  } catch {
    throw new NotTheProtocol('what came is no JSON');
  }
  if (!Array.isArray(parsed)) throw new NotTheProtocol('what came is no list of messages');
  return parsed as Json[];
}
