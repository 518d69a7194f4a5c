/** Takes a port of loopback, or a socket file. */
import { once } from 'node:events';
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { TdctlError } from '../errors/index.ts';

export type Address = { readonly port: number } | { readonly socket: string };

/** @throws TdctlError TDCTL_E_ADDRESS where the address cannot be had. */
export async function listenOn(server: Server, address: Address): Promise<void> {
  if ('socket' in address) await removeStale(address.socket);
  // The socket file belongs to its owner alone, from its first moment.
  const mask = 'socket' in address ? process.umask(0o177) : undefined;
  try {
    if ('port' in address) server.listen(address.port, '127.0.0.1');
    else server.listen(address.socket);
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw notHad(address, cause as NodeJS.ErrnoException);
  }
}

/** A socket file that nobody listens on is what a killed process leaves. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() !== true) return;
  if (!(await isServed(path))) unlinkSync(path);
}

async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

const causes: Readonly<Record<string, { readonly message: string; readonly hint: string }>> = {
  EADDRINUSE: {
    message: 'it is in use',
    hint: 'choose another, or `--port 0` for any that is free',
  },
  EACCES: {
    message: 'you may not use it',
    hint: 'choose a port from 1024 up, or a directory that you may write to',
  },
  ENOENT: { message: 'its directory does not exist', hint: 'make the directory first' },
};

function notHad(address: Address, cause: NodeJS.ErrnoException): TdctlError {
  // Where bind() fails with ENOENT, libuv reports EACCES.
  const isNowhere = 'socket' in address && !existsSync(dirname(address.socket));
  const known = causes[isNowhere ? 'ENOENT' : (cause.code ?? '')];
  return new TdctlError({
    code: 'TDCTL_E_ADDRESS',
    op: 'serve the live page',
    place: 'port' in address ? `127.0.0.1:${address.port}` : address.socket,
    message: known?.message ?? cause.message,
    hint: known?.hint ?? 'choose another',
    cause,
  });
}
