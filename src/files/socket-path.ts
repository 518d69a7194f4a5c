/** The way to a UNIX socket, however long its path is. */
import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** `sun_path` of struct sockaddr_un has 108 bytes, of which one ends the name; libuv cuts off what is longer. */
export const longestSocketPathBytes = 107;

export interface SocketPath {
  /** What to bind or to connect to, while this is held. */
  readonly path: string;
  release(): void;
}

/** A path that is too long is gone through an fd of its directory. @throws where that cannot be opened. */
export function socketPath(path: string): SocketPath {
  if (Buffer.byteLength(path) <= longestSocketPathBytes) return { path, release: () => undefined };
  const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  let isHeld = true;
  return {
    path: `/proc/self/fd/${fd}/${basename(path)}`,
    release: () => {
      if (isHeld) closeSync(fd);
      isHeld = false;
    },
  };
}
