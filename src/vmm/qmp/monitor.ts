/**
 * The monitor of a VMM, by its QMP socket. Nothing here waits for ever: a VMM that is stopped by a signal, or whose main
 * loop hangs, is silent and not gone. `query-sev` is never asked: QEMU 11.1 aborts on it where the guest is a TD.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../errors/errno.ts';
import { socketPath } from '../../files/index.ts';
import { Lines } from './lines.ts';
import { type QmpEvent, readMessage } from './messages.ts';
import { MonitorClosed, MonitorRefused, MonitorSilent } from './problems.ts';

export interface Monitor {
  /** The version of QEMU, as its greeting has it. */
  readonly version: string;
  /** @throws MonitorRefused, MonitorSilent, MonitorClosed. */
  execute(command: string, options: Asked): Promise<unknown>;
  /** Resolves with why, once the connection is no more: of an end in order there is nothing to say. */
  readonly closed: Promise<MonitorClosed>;
  close(): void;
}

export interface Asked {
  readonly deadlineMs: number;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
}

export interface MonitorOptions {
  readonly path: string;
  /** Until the socket is there, has greeted, and has agreed on what it can. */
  readonly deadlineMs: number;
  readonly onEvent: (event: QmpEvent) => void;
  /** Ends the wait for the socket: the program that shall make it has ended. */
  readonly signal?: AbortSignal | undefined;
  /** A longer line is none of a monitor. */
  readonly mostLineBytes?: number | undefined;
}

/** Answers of a monitor are some kilobytes, those that list a schema some hundred. */
const usualMostLineBytes = 4 * 1024 * 1024;
const lookEveryMs = 5;

/** @throws MonitorSilent, MonitorClosed, MonitorRefused. */
export async function openMonitor(options: MonitorOptions): Promise<Monitor> {
  const begun = performance.now();
  const leftMs = () => Math.max(1, options.deadlineMs - (performance.now() - begun));
  const connection = new Connection(await connected(options, leftMs), options);
  try {
    const version = await connection.greeted(leftMs());
    await connection.execute('qmp_capabilities', { deadlineMs: leftMs() });
    return {
      version,
      execute: (command, asked) => connection.execute(command, asked),
      closed: connection.closed,
      close: () => connection.close(),
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function connected(
  { path, signal, deadlineMs }: MonitorOptions,
  leftMs: () => number,
): Promise<Socket> {
  for (;;) {
    if (signal?.aborted === true) throw new MonitorClosed('its program has ended');
    try {
      return await connectOnce(path);
    } catch (error) {
      const errno = errnoOf(error);
      // It is not there yet, or nobody listens yet.
      if (errno !== 'ENOENT' && errno !== 'ECONNREFUSED') throw new MonitorClosed(String(errno));
      if (leftMs() <= 1) throw new MonitorSilent('connect', deadlineMs);
      await delay(lookEveryMs);
    }
  }
}

function connectOnce(path: string): Promise<Socket> {
  const { path: reached, release } = socketPath(path);
  return new Promise<Socket>((resolve, reject) => {
    const socket = connect(reached);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  }).finally(release);
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

class Connection {
  readonly closed: Promise<MonitorClosed>;
  readonly #socket: Socket;
  readonly #lines: Lines;
  readonly #onEvent: MonitorOptions['onEvent'];
  readonly #waiting = new Map<number, Waiting & { readonly command: string }>();
  readonly #greeting = promised<string>();
  readonly #end = promised<MonitorClosed>();
  #ended: MonitorClosed | undefined;
  #lastId = 0;

  constructor(socket: Socket, { onEvent, mostLineBytes = usualMostLineBytes }: MonitorOptions) {
    this.#socket = socket;
    this.#lines = new Lines(mostLineBytes);
    this.#onEvent = onEvent;
    this.closed = this.#end.promise;
    this.#greeting.promise.catch(() => undefined);
    socket.on('data', (bytes) => this.#heard(bytes));
    // After `quit` the socket is reset: that is how a monitor ends.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#over(new MonitorClosed('it has ended')));
  }

  greeted(deadlineMs: number): Promise<string> {
    return this.#within('greeting', deadlineMs, this.#greeting.promise);
  }

  execute(command: string, { deadlineMs, arguments: given }: Asked): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = promised<unknown>();
    this.#waiting.set(id, { command, ...answer });
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: given, id })}\n`);
    return this.#within(command, deadlineMs, answer.promise).finally(() =>
      this.#waiting.delete(id),
    );
  }

  close(): void {
    this.#over(new MonitorClosed('it was let go'));
  }

  async #within<Value>(what: string, ms: number, value: Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new MonitorSilent(what, ms)), ms);
    });
    try {
      return await Promise.race([value, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #heard(bytes: Buffer): void {
    try {
      for (const line of this.#lines.take(bytes)) this.#line(line);
    } catch (error) {
      this.#over(new MonitorClosed(`it has sent ${(error as Error).message}`));
    }
  }

  #line(line: string): void {
    if (this.#ended !== undefined || line.trim() === '') return;
    const message = readMessage(line);
    switch (message.kind) {
      case 'greeting':
        this.#greeting.resolve(message.version);
        break;
      case 'event':
        this.#onEvent(message.event);
        break;
      case 'garbage':
        this.#over(new MonitorClosed(`it has sent ${message.why}`));
        break;
      default: {
        // One that came too late for whoever waited is nobody's.
        const waiting = this.#waiting.get(message.id as number);
        if (message.kind === 'answer') waiting?.resolve(message.value);
        else waiting?.reject(new MonitorRefused(waiting.command, message));
      }
    }
  }

  #over(why: MonitorClosed): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#greeting.reject(why);
    this.#end.resolve(why);
  }
}

/** Node 20 lacks Promise.withResolvers. */
function promised<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  // Whoever waits hears of it; where nobody does, there is nothing to tell.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
