/**
 * A program that has joined: a process of the simulated kernel, with its own address space, files and cgroup. When its
 * connection closes, that process has died: the kernel closes its files in the order in which they were opened, and
 * what was under way on them ends.
 */
import type { Socket } from 'node:net';
import type { ZodError } from 'zod';
import { SimulatedGuest, type SimulatedHost, SimulatedMemory } from '../../simulated/index.ts';
import { FrameReader, FrameWriter, MessageTooLong, NotTheProtocol } from '../wire/frames.ts';
import {
  type Call,
  type FromHost,
  pageBytes,
  type ToHost,
  type WrittenPages,
} from '../wire/messages.ts';
import { type CallContext, methods } from './methods.ts';
import { ProgramObjects } from './objects.ts';
import { toHost } from './to-host.ts';

/** A program that does not take its answers is not read from until it has taken some. */
const waitingBytes = 4 * 1024 * 1024;

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly host: SimulatedHost;
  readonly passing: Pick<CallContext, 'grant' | 'accept'>;
  /** The process has died, and holds nothing any more. */
  readonly died: () => void;
}

export class Connection {
  /** Requests of the port that it has made. */
  calls = 0;
  readonly #socket: Socket;
  readonly #host: SimulatedHost;
  readonly #passing: ConnectionOptions['passing'];
  readonly #died: () => void;
  readonly #objects: ProgramObjects;
  readonly #reader = new FrameReader();
  readonly #writer: FrameWriter;
  readonly #underWay = new Map<number, AbortController>();
  #isDead = false;
  #flushIsDue = false;

  /** @param rest what has come after the greeting */
  constructor({ socket, host, passing, died }: ConnectionOptions, rest: Buffer) {
    this.#socket = socket;
    this.#host = host;
    this.#passing = passing;
    this.#died = died;
    this.#objects = new ProgramObjects(host);
    this.#writer = new FrameWriter(this.#objects, (frame) => this.#write(frame));
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('drain', () => socket.resume());
    // It closes both directions at once, so the end of one is that of the process.
    socket.on('end', () => this.#die());
    socket.on('close', () => this.#die());
    socket.on('error', () => this.#die());
    this.#take(rest);
  }

  /** Ends it, with a word to the program. */
  sayBye(why: string): void {
    if (!this.#isDead) {
      this.#tell({ bye: why });
      this.#writer.flush();
      this.#socket.end();
    }
    this.#die();
  }

  get #nowNs(): number {
    return this.#host.machine.nowNs;
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
    else if ('forget' in message) for (const token of message.forget) this.#objects.forget(token);
    else if ('write' in message) this.#writeMemory(message);
    else this.#tell({ pong: message.ping });
  }

  /** The request is made before this returns; its answer may come later. */
  async #answer({ call, on, method, arg }: Call): Promise<void> {
    const cancelling = new AbortController();
    this.#underWay.set(call, cancelling);
    this.calls++;
    try {
      const value = await this.#make(on, method, arg, {
        signal: cancelling.signal,
        progress: (pagesDone) => this.#tell({ progress: call, nowNs: this.#nowNs, pagesDone }),
        ...this.#passing,
      });
      this.#tell({ answer: call, nowNs: this.#nowNs, value });
      if (value instanceof SimulatedGuest) this.#tellEnd(value);
    } catch (error) {
      this.#refuse(call, error);
    } finally {
      this.#underWay.delete(call);
    }
  }

  async #make(on: number, name: string, arg: unknown, context: CallContext): Promise<unknown> {
    const named = this.#objects.at(on);
    if (named === undefined) throw new NotTheProtocol(`there is no object ${on}`);
    const known = methods[named.kind];
    const method = Object.hasOwn(known, name) ? known[name] : undefined;
    if (method === undefined) throw new NotTheProtocol(`a ${named.kind} is not asked for ${name}`);
    const parsed = method.arg.safeParse(arg);
    if (!parsed.success) throw new NotTheProtocol(`${name}: ${problems(parsed.error)}`);
    return method.call(named.target as never, parsed.data as never, context);
  }

  #refuse(call: number, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#tell({ answer: call, nowNs: this.#nowNs, error });
  }

  #tellEnd(guest: SimulatedGuest): void {
    const { token } = this.#objects.refer(guest) ?? {};
    if (token === undefined) return;
    void guest.ended.then((end) => this.#tell({ ended: token, nowNs: this.#nowNs, end }));
  }

  #writeMemory({ write, pages, bytes }: WrittenPages): void {
    const memory = this.#objects.at(write)?.target;
    if (!(memory instanceof SimulatedMemory)) throw new NotTheProtocol('no memory has that number');
    for (const [place, page] of pages.entries()) {
      memory.write({
        offsetBytes: BigInt(page) * BigInt(pageBytes),
        bytes: bytes.subarray(place * pageBytes, (place + 1) * pageBytes),
      });
    }
  }

  #tell(message: FromHost): void {
    if (this.#isDead) return;
    try {
      this.#writer.add(message);
    } catch (error) {
      if (!(error instanceof MessageTooLong) || !('answer' in message)) throw error;
      this.#refuse(message.answer, error);
    }
    // The answers to all that came in one frame go back in one.
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    setImmediate(() => {
      this.#flushIsDue = false;
      this.#writer.flush();
    });
  }

  #write(frame: Buffer): void {
    if (!this.#socket.writable) return;
    this.#socket.write(frame);
    if (this.#socket.writableLength > waitingBytes) this.#socket.pause();
  }

  #die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const cancelling of this.#underWay.values()) cancelling.abort();
    this.#host.exitProcess();
    this.#died();
  }
}

function problems({ issues }: ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ');
}
