/** The fd of a connected socket. Node has no name for it; libuv's handle of a socket does. */
import type { Socket } from 'node:net';

/** @returns undefined where the socket is not connected, or not any more. */
export function socketFd(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
