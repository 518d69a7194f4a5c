/** `spec.console.socket`: one client at a time reads what the guest prints, and types at it. */
import type { Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnSocketFile } from '../../files/index.ts';
import { Backlog, bytesOf } from './backlog.ts';
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

export class ConsoleSocket implements ConsoleSink {
  readonly #server: Server;
  readonly #typing: Typing;
  readonly #backlog = new Backlog(mostWaitingBytes);
  #client: Socket | undefined;
  /** The client types no more, and may have gone: nobody knows before something is sent to it. */
  #hasHungUp = false;

  /** @throws TdctlError TDCTL_E_ADDRESS. */
  static async open(options: ConsoleSocketOptions): Promise<ConsoleSocket> {
    const console = new ConsoleSocket(options.input);
    await listenOnSocketFile(console.#server, { path: options.path, op: 'open the console' });
    return console;
  }

  private constructor(input: ConsoleSocketOptions['input']) {
    this.#typing = new Typing(input);
    const { createServer } = process.getBuiltinModule('node:net');
    // `echo quit | socat - UNIX-CONNECT:…` types no more, and reads on.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#attach(socket));
    this.#server.on('error', () => undefined);
  }

  print(bytes: Uint8Array, lostBytes: number): void {
    this.#backlog.push(bytes, lostBytes);
    this.#send();
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
    for (const piece of this.#backlog.take()) client.write(bytesOf(piece));
  }
}

/** What it types is read, and dropped: left unread, it would end the connection before what is said has arrived. */
function turnAway(client: Socket): void {
  client.resume();
  client.end('tdctl: somebody is attached to this console already, and it takes one at a time\r\n');
  const late = setTimeout(() => client.destroy(), mostFarewellMs);
  client.once('end', () => client.destroy()).once('close', () => clearTimeout(late));
}
