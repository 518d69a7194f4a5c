/**
 * Fds on their way from one keeper to another, over a connection that carries nothing else: what Node reads of a socket
 * it reads without the fds.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type Addon, loadAddon, type PassedFd, socketFd } from '../../../native/index.ts';
import { listenOnSocketFile, socketPath } from '../../files/index.ts';

type Sent = readonly { readonly fd: number }[];

/** To the keeper that listens there. @throws the error of the system call. */
export async function sendFds(path: string, fds: Sent): Promise<void> {
  const reached = socketPath(path);
  const socket = connect(reached.path);
  try {
    await once(socket, 'connect');
    const channel = channelOf(socket);
    try {
      await channel.send(Uint8Array.of(fds.length), fds);
    } finally {
      await channel.close();
    }
  } finally {
    socket.destroy();
    reached.release();
  }
}

/**
 * Listens for them while they are asked for.
 *
 * @returns what was answered, and the fds, which the caller closes.
 * @throws what `ask` throws, or the error of the system call; EMSGSIZE where more came than there are to be.
 */
export async function receiveFds<Answer>(
  path: string,
  { maxFds, ask }: { readonly maxFds: number; readonly ask: () => Promise<Answer> },
): Promise<{ readonly answer: Answer; readonly fds: readonly PassedFd[] }> {
  // Nothing may be read of the connection before the channel does it.
  const server = createServer({ pauseOnConnect: true });
  const connected = once(server, 'connection') as Promise<[Socket]>;
  connected.catch(() => undefined);
  await listenOnSocketFile(server, { path, op: 'take fds over', anyLength: true });
  try {
    const asked = ask();
    asked.catch(() => undefined);
    const [socket] = (await Promise.race([connected, asked.then(() => connected)])) as [Socket];
    const channel = channelOf(socket);
    try {
      const { fds } = await channel.receive({ maxBytes: 1, maxFds });
      return { answer: await asked, fds };
    } finally {
      await channel.close();
      socket.destroy();
    }
  } finally {
    server.close();
  }
}

/** A channel of its own on a connection, whose fd it can pass too. */
export function channelOf(socket: Socket): ReturnType<Addon['FdChannel']['of']> {
  const loaded = loadAddon();
  const fd = socketFd(socket);
  if (!loaded.available || fd === undefined) throw new Error('fds go by the addon alone');
  return loaded.addon.FdChannel.of(fd);
}
