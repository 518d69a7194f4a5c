/** `spec.console.socket`: one client at a time reads what the guest prints, and types at it. */
import type { Server, Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { serveSocketFile, takeOverSocketFile } from '../../files/index.ts';
import { Backlog, bytesOf, type Piece } from './backlog.ts';
import type { ConsoleSink } from './sink.ts';
import { Typing } from './typing.ts';

/** So much waits for the client, or for the first one to come. */
const mostWaitingBytes = 1024 * 1024;
/** A client has so long to take the last bytes. */
const mostFarewellMs = 1000;

export interface ConsoleSocketOptions {
  readonly path: string;
  /** Takes what a client types, and returns how many bytes of it. */
  readonly input: (bytes: Uint8Array) => number;
}

/** What another process has to know to go on with a socket and whoever is attached to it. */
export interface PassedConsole {
  /** The client that is attached types no more. */
  readonly hasHungUp: boolean;
  /** Printed, and read by nobody yet. */
  readonly waiting: readonly Piece[];
  /** Typed, and not taken by the guest yet. */
  readonly typed: Uint8Array;
}

export interface CameOver extends PassedConsole {
  /** Who is attached. */
  readonly client: Socket | undefined;
}

export class ConsoleSocket implements ConsoleSink {
  readonly #path: string;
  readonly #server: Server;
  readonly #typing: Typing;
  readonly #backlog = new Backlog(mostWaitingBytes);
  #client: Socket | undefined;
  /** The client types no more, and may have gone: nobody knows before something is sent to it. */
  #hasHungUp = false;
  /** What was written to the client and may not have got to the kernel yet, the oldest first. */
  #onTheWay: Buffer[] = [];
  #remove: (() => void) | undefined;
  /** Until it is known who is attached, whoever comes waits. */
  #early: Socket[] | undefined;
  #takingOver: Promise<void> | undefined;

  /** @throws TdctlError TDCTL_E_ADDRESS. */
  static async open(options: ConsoleSocketOptions): Promise<ConsoleSocket> {
    const console = new ConsoleSocket(options);
    console.#remove = await serveSocketFile(console.#server, console.#file);
    return console;
  }

  /** One that another process has until it is taken over. What is printed meanwhile waits. */
  static ofAnother(options: ConsoleSocketOptions): ConsoleSocket {
    return new ConsoleSocket(options);
  }

  private constructor({ path, input }: ConsoleSocketOptions) {
    this.#path = path;
    this.#typing = new Typing(input);
    const { createServer } = process.getBuiltinModule('node:net');
    // `echo quit | socat - UNIX-CONNECT:…` types no more, and reads on.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#comes(socket));
    this.#server.on('error', () => undefined);
  }

  print(bytes: Uint8Array, lostBytes: number): void {
    this.#backlog.push(bytes, lostBytes);
    this.#send();
  }

  /**
   * Serves it in the place of the process that has it, with no moment in which nobody could connect.
   *
   * @param receive what {@link handOver} of that process gives; undefined where it has gone.
   * @throws TdctlError TDCTL_E_ADDRESS.
   */
  async takeOver(receive: () => Promise<CameOver | undefined>): Promise<void> {
    this.#early = [];
    this.#takingOver = this.#serveThen(receive);
    await this.#takingOver;
  }

  async #serveThen(receive: () => Promise<CameOver | undefined>): Promise<void> {
    try {
      this.#remove = await takeOverSocketFile(this.#server, this.#file);
    } finally {
      // Whoever is attached stays so, also where nobody else can come any more.
      await this.#goOnWith(receive);
    }
  }

  async #goOnWith(receive: () => Promise<CameOver | undefined>): Promise<void> {
    try {
      const came = await receive();
      if (came !== undefined) this.#goOn(came);
    } finally {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const socket of early) this.#attach(socket);
      this.#send();
    }
  }

  /**
   * Lets go of it, and of whoever is attached, who hears nothing of that.
   *
   * @param take keeps an fd of the client for the other process, and ends it here: nothing more is read of it, and
   * nothing written. It returns how many bytes of those that were written to it last the kernel has not.
   */
  async handOver(take: (client: Socket) => number): Promise<PassedConsole> {
    await this.#takingOver?.catch(() => undefined);
    // Who came before the other process served it is accepted now.
    await turn();
    this.#server.close();
    const client = this.#client?.destroyed === false ? this.#client : undefined;
    this.#client = undefined;
    const waiting = this.#backlog.take();
    const typed = [this.#typing.take()];
    if (client !== undefined) {
      client.removeAllListeners('data').removeAllListeners('drain');
      // To read what is there begins to read more, and so comes first.
      typed.push(client.read() ?? new Uint8Array());
      const unwrittenBytes = take(client);
      const onTheWay = Buffer.concat(this.#onTheWay);
      const bytes = onTheWay.subarray(onTheWay.length - unwrittenBytes);
      if (bytes.length > 0) waiting.unshift({ lostBytes: 0, bytes });
    }
    return {
      hasHungUp: client !== undefined && this.#hasHungUp,
      waiting,
      typed: Buffer.concat(typed),
    };
  }

  async end(): Promise<void> {
    this.#typing.end();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const client = this.#client;
    if (client !== undefined) {
      for (const piece of this.#backlog.take()) client.write(bytesOf(piece));
      const gone = new Promise((resolve) => client.once('close', resolve));
      // Half of the connection is ours to end, and the other half the client's.
      client.end(() => client.destroy());
      await Promise.race([gone, delay(mostFarewellMs, undefined, { ref: false })]);
      client.destroy();
    }
    await closed;
    this.#remove?.();
  }

  get #file() {
    return { path: this.#path, op: 'open the console' };
  }

  #goOn(came: CameOver): void {
    const printedHere = this.#backlog.take();
    for (const piece of [...came.waiting, ...printedHere]) this.#backlog.add(piece);
    // It may have typed and gone.
    if (came.typed.length > 0) this.#typing.type(came.typed, came.client ?? nobody);
    if (came.client === undefined) return;
    this.#attach(came.client);
    this.#hasHungUp = came.hasHungUp;
  }

  #comes(socket: Socket): void {
    if (this.#early === undefined) this.#attach(socket);
    else this.#early.push(socket);
  }

  #attach(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#client !== undefined && !this.#hasHungUp) {
      turnAway(socket);
      return;
    }
    this.#client?.end();
    this.#client = socket;
    this.#hasHungUp = false;
    this.#onTheWay = [];
    socket.on('data', (bytes) => this.#typing.type(bytes, socket));
    socket.on('end', () => {
      if (this.#client === socket) this.#hasHungUp = true;
      else socket.end();
    });
    socket.on('drain', () => this.#send());
    socket.on('close', () => {
      if (this.#client === socket) this.#client = undefined;
    });
    this.#send();
  }

  /** What the client does not take waits here, and not in the stream, which has no bound. */
  #send(): void {
    const client = this.#client;
    if (client === undefined || client.writableNeedDrain) return;
    for (const piece of this.#backlog.take()) {
      const bytes = bytesOf(piece);
      this.#onTheWay.push(bytes);
      client.write(bytes, () => {
        if (client === this.#client) this.#onTheWay.shift();
      });
    }
  }
}

const nobody = { pause: () => undefined, resume: () => undefined };

/** What it types is read, and dropped: left unread, it would end the connection before what is said has arrived. */
function turnAway(client: Socket): void {
  client.resume();
  client.end('tdctl: somebody is attached to this console already, and it takes one at a time\r\n');
  const late = setTimeout(() => client.destroy(), mostFarewellMs);
  client.once('end', () => client.destroy()).once('close', () => clearTimeout(late));
}
