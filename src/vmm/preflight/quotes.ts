/** The quote generation service: a guest that finds none gets empty quotes, long after its start. */
import { createConnection } from 'node:net';
import { errnoOf } from '../../errors/errno.ts';
import type { QuoteSocket } from '../../spec/trust-domain.ts';
import type { DeviceFinding } from './finding.ts';
import { tooLongForSocket } from './unix-sockets.ts';

const field = 'spec.quotes.socket';

/** How long a service may take to accept. */
const deadlineMs = 2_000;

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket (ENOENT)',
  ENOTDIR: 'there is no such socket (ENOTDIR)',
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  EACCES: 'this user may not connect to it (EACCES)',
  ETIMEDOUT: `it did not accept within ${deadlineMs / 1000} s`,
};

export async function quoteFindings(quotes: QuoteSocket | undefined): Promise<DeviceFinding[]> {
  // Who listens on a vsock port of another context cannot be asked without a socket of that family.
  if (quotes?.kind !== 'unix') return [];
  const long = tooLongForSocket(quotes.path);
  if (long !== undefined) return [{ field, problem: long, remedy: 'name a shorter path' }];
  const errno = await connectError(quotes.path);
  if (errno === undefined) return [];
  return [
    {
      field,
      problem: `${quotes.path}: ${problems[errno] ?? `it cannot be connected to (${errno})`}; every quote would be empty`,
      remedy: 'start the service (systemctl start qgsd), or leave `quotes` out',
    },
  ];
}

function connectError(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const settle = (errno: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(errno);
    };
    const timer = setTimeout(() => settle('ETIMEDOUT'), deadlineMs);
    socket.once('connect', () => settle(undefined));
    socket.once('error', (error) => settle(errnoOf(error) ?? error.message));
  });
}
