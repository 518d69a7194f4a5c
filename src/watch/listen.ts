/** Takes a port of loopback, or a socket file. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { TdctlError } from '../errors/index.ts';
import { listenOnSocketFile } from '../files/index.ts';

export type Address = { readonly port: number } | { readonly socket: string };

const op = 'serve the live page';

/** @throws TdctlError TDCTL_E_ADDRESS where the address cannot be had. */
export async function listenOn(server: Server, address: Address): Promise<void> {
  if ('socket' in address) return listenOnSocketFile(server, { path: address.socket, op });
  server.listen(address.port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw notHad(address.port, cause as NodeJS.ErrnoException);
  }
}

const causes: Readonly<Record<string, { readonly message: string; readonly hint: string }>> = {
  EADDRINUSE: {
    message: 'it is in use',
    hint: 'choose another, or `--port 0` for any that is free',
  },
  EACCES: { message: 'you may not use it', hint: 'choose a port from 1024 up' },
};

function notHad(port: number, cause: NodeJS.ErrnoException): TdctlError {
  const known = causes[cause.code ?? ''];
  return new TdctlError({
    code: 'TDCTL_E_ADDRESS',
    op,
    place: `127.0.0.1:${port}`,
    message: known?.message ?? cause.message,
    hint: known?.hint ?? 'choose another',
    cause,
  });
}
