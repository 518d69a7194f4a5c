/** A console that is a socket of its own (`spec.console.socket`): whoever is attached is passed to the next keeper. */
import { Socket } from 'node:net';
import { type FdChannel, stopReading, unwrittenBytes } from '../../../native/index.ts';
import type { CameOver, ConsoleSocket, PassedConsole } from '../../guest/index.ts';
import { channelOf, receiveFds, sendFds } from './fds.ts';
import type { MovePeer } from './peer.ts';

/** @param path where the next keeper takes fds. @throws the error of the system call. */
export async function passConsole(console: ConsoleSocket, path: string): Promise<PassedConsole> {
  const clients: FdChannel[] = [];
  try {
    const passed = await console.handOver((client) => {
      stopReading(client);
      clients.push(channelOf(client));
      const unwritten = unwrittenBytes(client);
      client.destroy();
      return unwritten;
    });
    await sendFds(path, clients);
    return passed;
  } finally {
    for (const client of clients) await client.close();
  }
}

/** @throws what the other keeper throws, or the error of the system call. */
export async function receiveConsole(
  peer: MovePeer,
  { path, deadlineMs }: { readonly path: string; readonly deadlineMs: number },
): Promise<CameOver> {
  const ask = () => peer.ask('console', null, { deadlineMs });
  const { answer, fds } = await receiveFds(path, { maxFds: 1, ask });
  const fd = fds[0]?.take();
  const client = fd === undefined ? undefined : new Socket({ fd, allowHalfOpen: true });
  return { ...answer, client };
}
