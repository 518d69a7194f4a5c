/** One connection of a shared host after its greeting: calls in, answers out, and words at the end. */
import type { Socket } from 'node:net';
import { FrameReader, FrameWriter, MessageTooLong } from '../wire/frames.ts';
import type { Call, FromHost, ToHost } from '../wire/messages.ts';
import type { Decoding, Encoding } from '../wire/values.ts';
import { toHost } from './to-host.ts';

/** Who does not take what was sent is not read from until it has taken some. */
const waitingBytes = 4 * 1024 * 1024;

const farewellMs = 1000;

/**
 * What a call has besides what it is asked for. Most calls are over before anybody could cancel them, and an
 * AbortController costs as much as such a call.
 */
export class CallUnderWay {
  /** Tells the caller something before the answer. */
  readonly tell: (value: unknown) => void;
  #controller: AbortController | undefined;
  #isAborted = false;

  constructor(tell: (value: unknown) => void) {
    this.tell = tell;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}

export abstract class FramedPeer {
  /** Calls that have been made. */
  calls = 0;
  readonly #socket: Socket;
  readonly #objects: Encoding & Decoding;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #underWay = new Map<number, CallUnderWay>();
  #isDead = false;
  #flushIsDue = false;

  constructor(socket: Socket, objects: Encoding & Decoding) {
    this.#socket = socket;
    this.#objects = objects;
    this.#writer = new FrameWriter(objects, (frame) => this.#write(frame));
  }

  protected abstract readonly nowNs: number;
  /** Begins what was asked before it returns. */
  protected abstract make(call: Call, underWay: CallUnderWay): unknown;
  /** Hears what is no call. */
  protected abstract hear(message: Exclude<ToHost, Call>): void;
  protected abstract died(): void;

  /** @param rest what has come after the greeting */
  start(rest: Buffer): void {
    const socket = this.#socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('drain', () => socket.resume());
    // It closes both directions at once, so the end of one is that of the process.
    for (const end of ['end', 'close', 'error']) socket.on(end, () => this.#die());
    this.#take(rest);
  }

  /** Ends it, with a word to the other side. */
  sayBye(why: string): void {
    if (!this.#isDead) {
      this.tell({ bye: why });
      this.#writer.flush();
      this.#socket.end();
      // One that a signal has stopped takes no words and closes nothing.
      setTimeout(() => this.#socket.destroy(), farewellMs).unref();
    }
    this.#die();
  }

  protected tell(message: FromHost): void {
    if (this.#isDead) return;
    try {
      this.#writer.add(message);
    } catch (error) {
      if (!(error instanceof MessageTooLong) || !('answer' in message)) throw error;
      this.#refuse(message.answer, error);
    }
    // The answers to all that came in one frame go back in one: all promises that are settled go on before a tick.
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    process.nextTick(() => {
      this.#flushIsDue = false;
      this.#writer.flush();
    });
  }

  #take(chunk: Buffer): void {
    if (this.#isDead) return;
    try {
      for (const frame of this.#reader.take(chunk)) {
        for (const message of frame.messages(this.#objects)) this.#hear(toHost(message));
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.sayBye(`the host has closed the connection, as it was not understood: ${why}`);
    }
  }

  #hear(message: ToHost): void {
    if ('call' in message) void this.#answer(message);
    else if ('cancel' in message) this.#underWay.get(message.cancel)?.abort();
    else if ('ping' in message) this.tell({ pong: message.ping });
    else this.hear(message);
  }

  async #answer(asked: Call): Promise<void> {
    const { call } = asked;
    const underWay = new CallUnderWay((value) =>
      this.tell({ told: call, nowNs: this.nowNs, value }),
    );
    this.#underWay.set(call, underWay);
    this.calls++;
    try {
      const value = await this.make(asked, underWay);
      this.tell({ answer: call, nowNs: this.nowNs, value });
    } catch (error) {
      this.#refuse(call, error);
    } finally {
      this.#underWay.delete(call);
    }
  }

  #refuse(answer: number, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.tell({ answer, nowNs: this.nowNs, error });
  }

  #write(frame: Buffer): void {
    if (!this.#socket.writable) return;
    this.#socket.write(frame);
    if (this.#socket.writableLength > waitingBytes) this.#socket.pause();
  }

  #die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const underWay of this.#underWay.values()) underWay.abort();
    this.died();
  }
}
