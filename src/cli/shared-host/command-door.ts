/** The two sockets of a shared host by which a command comes to it: one for words, one for fds. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type PassedFd, socketFd } from '../../../native/index.ts';
import type { HostSockets } from '../../exec/door/index.ts';
import { requireAddon } from '../exec/supervision.ts';
import { findHost, operateHost, reachSocket } from './reach.ts';

export interface CommandDoor extends HostSockets {
  /** The directory with the files of the host. */
  readonly facts: string;
  close(): void;
}

/** @throws TdctlError as openSharedHost() says, and where the host starts no programs. */
export async function openCommandDoor(name: string, env: NodeJS.ProcessEnv): Promise<CommandDoor> {
  const operator = await operateHost(name, env);
  const { files } = await findHost(name, env);
  return {
    operator,
    facts: files.facts,
    passFds: (line, fds) =>
      reachSocket(name, 'fds', env, async (path) => sendFds(path, Buffer.from(line), fds)),
    close: () => operator.close(),
  };
}

async function sendFds(path: string, line: Uint8Array, fds: readonly PassedFd[]): Promise<void> {
  const socket = connect(path);
  await once(socket, 'connect');
  try {
    const channel = requireAddon().FdChannel.of(socketFd(socket) ?? -1);
    await channel.send(line, fds);
    await channel.close();
  } finally {
    socket.destroy();
  }
}
