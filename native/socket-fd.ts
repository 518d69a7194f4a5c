/** A connected socket as the kernel has it. Node has no names for that; libuv's handle of a socket does. */
import type { Socket } from 'node:net';

interface Handle {
  readonly fd?: number;
  /** Of all that it was given to write, and of what it has not written of that. */
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
  readStop?(): void;
}

/** @returns undefined where the socket is not connected, or not any more. */
export function socketFd(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/** What comes from now on stays in the kernel, for whoever has the socket next: a stream that is paused reads on. */
export function stopReading(socket: Socket): void {
  handleOf(socket)?.readStop?.();
}

/** How many of the bytes that were written to the socket the kernel has not got: what is ended now ends without them. */
export function unwrittenBytes(socket: Socket): number {
  const { bytesWritten = 0, writeQueueSize = 0 } = handleOf(socket) ?? {};
  return socket.bytesWritten - bytesWritten + writeQueueSize;
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle;
}
