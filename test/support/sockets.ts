/** Sockets that another process serves. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The file is there a moment before its server takes connections. The test's own timeout is the bound. */
export async function connected(
  path: string,
  { hasEnded = () => false }: { readonly hasEnded?: () => boolean } = {},
): Promise<Socket> {
  for (;;) {
    const socket = connect(path);
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      socket.destroy();
      if (hasEnded()) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
