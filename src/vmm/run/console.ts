/**
 * The serial port of a guest in a VMM, by the socket that the VMM serves: what is typed goes this way. What the guest
 * prints the VMM writes into a log by itself, whether anybody has a connection or not, and that is read there.
 */
import { connect, type Socket } from 'node:net';
import { socketPath } from '../../files/index.ts';

/** What a guest has no room for is not taken. */
const mostWaitingBytes = 64 * 1024;

export class VmmConsole {
  readonly #path: string;
  #socket: Socket | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws the error of the system call. */
  async connect(): Promise<void> {
    const { path, release } = socketPath(this.#path);
    try {
      const socket = connect(path);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      // Its end is that of the VMM, which tells it by its process.
      socket.on('error', () => undefined);
      socket.resume();
      this.#socket = socket;
    } finally {
      release();
    }
  }

  /** Returns how many bytes were taken. */
  input(bytes: Uint8Array): number {
    const socket = this.#socket;
    if (socket?.writable !== true || socket.writableLength > mostWaitingBytes) return 0;
    socket.write(bytes);
    return bytes.length;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}
