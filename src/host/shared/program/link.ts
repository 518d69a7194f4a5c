/** The connection of this program to a shared host: requests out, answers in, and its end, which every call hears of. */
import type { Socket } from 'node:net';
import type { TdctlError } from '../../../errors/index.ts';
import type { GuestEnd } from '../../guest.ts';
import { FrameReader, FrameWriter } from '../wire/frames.ts';
import type { Call, FromHost, ToHost } from '../wire/messages.ts';
import { lookEveryMs, silentLooks, silentMs } from '../wire/silence.ts';
import type { Reference } from '../wire/values.ts';
import { gone, type WhichHost } from './gone.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onTold: ((value: unknown) => void) | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onTold?: ((value: unknown) => void) | undefined;
}

/** What lives on the host, and is named by a number there. */
export abstract class SharedObject {
  readonly link: Link;
  readonly token: number;

  constructor(link: Link, token: number) {
    this.link = link;
    this.token = token;
  }
}

export interface LinkOptions {
  readonly socket: Socket;
  readonly host: WhichHost;
  readonly nowNs: number;
  /** Makes the object here for one that the host has told of. */
  readonly made: (link: Link, reference: Reference) => unknown;
}

export class Link {
  /** The machine's time at the last answer. */
  nowNs: number;
  readonly #socket: Socket;
  readonly #host: WhichHost;
  readonly #made: LinkOptions['made'];
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #waiting = new Map<number, Waiting>();
  readonly #guestEnds = new Map<number, (end: GuestEnd) => void>();
  readonly #collected = new FinalizationRegistry<number>((token) => this.#forget(token));
  readonly #looking: NodeJS.Timeout;
  #forgotten: number[] = [];
  #nextCall = 1;
  #missedLooks = 0;
  #flushIsDue = false;
  #gone: TdctlError | undefined;
  #said: string | undefined;
  #openObjects = 0;
  #isLeaving = false;

  /** @param rest what has come after the greeting */
  constructor({ socket, host, nowNs, made }: LinkOptions, rest: Buffer) {
    this.#socket = socket;
    this.#host = host;
    this.nowNs = nowNs;
    this.#made = made;
    this.#writer = new FrameWriter({ refer: (value) => this.#refer(value) }, (frame) =>
      socket.write(frame),
    );
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#end(brokenBy(error), error));
    socket.on('close', () => this.#end(endedSilently));
    this.#looking = setInterval(() => this.#look(), lookEveryMs);
    this.#looking.unref();
    this.#take(rest);
    // Whoever heard the greeting has stopped it.
    socket.resume();
  }

  /** The reason why no call is answered any more. */
  get gone(): TdctlError | undefined {
    return this.#gone;
  }

  /** Makes a request. Those that are made in one turn go in one frame, in their order. */
  call(on: number, method: string, arg?: unknown, options?: CallOptions): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const call = this.#nextCall++;
    const answer = new Promise((resolve, reject) => {
      this.tell({ call, on, method, arg } satisfies Call);
      this.#waiting.set(call, { resolve, reject, onTold: options?.onTold });
    });
    return options?.signal === undefined
      ? answer
      : this.#cancelledBy(options.signal, { call, answer });
  }

  async #cancelledBy(
    signal: AbortSignal,
    { call, answer }: { readonly call: number; readonly answer: Promise<unknown> },
  ): Promise<unknown> {
    const cancel = () => {
      if (this.#waiting.has(call)) this.tell({ cancel: call });
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** @throws TypeError, RangeError for what cannot be sent. */
  tell(message: ToHost): void {
    if (this.#gone !== undefined) return;
    this.#writer.add(message);
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    queueMicrotask(() => {
      this.#flushIsDue = false;
      this.#writer.flush();
    });
  }

  /** An object is there, and keeps the connection open until {@link closed}. */
  opened(object: SharedObject): void {
    this.#openObjects++;
    this.#collected.register(object, object.token);
  }

  closed(): void {
    this.#openObjects--;
    this.#leaveIfNothingIsOpen();
  }

  /** Leaves once nothing of this program is open there; what is never closed keeps no process from ending. */
  leaveWhenDone(): void {
    this.#isLeaving = true;
    this.#socket.unref();
    this.#leaveIfNothingIsOpen();
  }

  /** Leaves at once, as a process that dies. */
  leave(): void {
    this.#guestEnds.clear();
    this.#end('this program has left it');
  }

  whenGuestEnds(token: number, told: (end: GuestEnd) => void): void {
    this.#guestEnds.set(token, told);
    if (this.#gone !== undefined) told({ vcpu: 0, kind: 'host-gone', error: this.#gone });
  }

  /** The guest is closed: however it ends, nobody is told. */
  ignoreGuest(token: number): void {
    this.#guestEnds.delete(token);
  }

  #leaveIfNothingIsOpen(): void {
    if (this.#isLeaving && this.#openObjects === 0) this.leave();
  }

  #take(chunk: Buffer): void {
    this.#missedLooks = 0;
    try {
      const decoding = { resolve: (reference: Reference) => this.#made(this, reference) };
      for (const frame of this.#reader.take(chunk)) {
        for (const message of frame.messages(decoding)) this.#hear(message as FromHost);
      }
    } catch (error) {
      this.#end('what it sent was not understood', error);
    }
  }

  #hear(message: FromHost): void {
    if ('nowNs' in message) this.nowNs = message.nowNs;
    if ('answer' in message) {
      const waiting = this.#waiting.get(message.answer);
      this.#waiting.delete(message.answer);
      if ('error' in message) waiting?.reject(message.error);
      else waiting?.resolve(message.value);
    } else if ('told' in message) {
      this.#told(message.told, message.value);
    } else if ('ended' in message) {
      this.#guestEnds.get(message.ended)?.(message.end);
    } else if ('bye' in message) {
      this.#said = message.bye;
    }
  }

  #told(call: number, value: unknown): void {
    const waiting = this.#waiting.get(call);
    try {
      waiting?.onTold?.(value);
    } catch (error) {
      this.#waiting.delete(call);
      waiting?.reject(error);
      this.tell({ cancel: call });
    }
  }

  #look(): void {
    if (this.#waiting.size === 0) return;
    this.#missedLooks++;
    if (this.#missedLooks > silentLooks) {
      this.#end(`its process has not answered for ${silentMs / 1000} s`);
    } else this.tell({ ping: this.#missedLooks });
  }

  #end(why: string, cause?: unknown): void {
    if (this.#gone !== undefined) return;
    clearInterval(this.#looking);
    this.#gone = gone(this.#host, this.#said ?? why, cause);
    this.#writer.flush();
    this.#socket.end();
    this.#socket.unref();
    for (const { reject } of this.#waiting.values()) reject(this.#gone);
    this.#waiting.clear();
    for (const told of this.#guestEnds.values()) {
      told({ vcpu: 0, kind: 'host-gone', error: this.#gone });
    }
  }

  #refer(value: object): Reference | undefined {
    if (!(value instanceof SharedObject)) return undefined;
    if (value.link === this) return { token: value.token };
    throw new TypeError('this object is one of another program on the host, which has to grant it');
  }

  #forget(token: number): void {
    this.#guestEnds.delete(token);
    this.#forgotten.push(token);
    if (this.#forgotten.length > 1) return;
    queueMicrotask(() => {
      this.tell({ forget: this.#forgotten });
      this.#forgotten = [];
    });
  }
}

const endedSilently = 'its process has ended without a word';

/** The kernel resets the connections of a process that is killed with something unread. */
function brokenBy({ code, message }: NodeJS.ErrnoException): string {
  const isEnd = code === 'ECONNRESET' || code === 'EPIPE';
  return isEnd ? endedSilently : `the connection broke (${message})`;
}
