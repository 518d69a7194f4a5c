/** The way onto a shared host: the connection, and the first words of each side. */
import { connect, type Socket } from 'node:net';
import type { TdctlError } from '../../../errors/index.ts';
import { NotTheProtocol } from '../wire/frames.ts';
import { type Greeting, GreetingReader, greetingLine, protocolVersion } from '../wire/greeting.ts';
import { awaitWord, silentMs } from '../wire/silence.ts';
import { notAHost, notThere, otherProtocol, otherUsers, silent, type WhichHost } from './gone.ts';
import { Link, type LinkOptions } from './link.ts';

export interface Joining extends Pick<LinkOptions, 'made'> {
  readonly host: WhichHost;
  /** What this side says of itself. */
  readonly said: Greeting['fields'];
}

/** @throws TdctlError as openSharedHost() says. */
export async function joinHost(path: string, { host, said, made }: Joining) {
  const socket = connect(path);
  const { greeting, rest } = await greet(socket, host, said);
  const { fields } = greeting;
  try {
    requireJoined(greeting, host);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const { nowNs } = fields as { readonly nowNs: number };
  return { link: new Link({ socket, host, nowNs, made }, rest), fields };
}

type Heard = NonNullable<ReturnType<GreetingReader['take']>>;

function greet(
  socket: Socket,
  host: WhichHost,
  fields: Readonly<Record<string, unknown>>,
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const reader = new GreetingReader();
    const fail = (error: Error) => {
      over();
      socket.destroy();
      reject(error);
    };
    const hear = (chunk: Buffer) => {
      try {
        const heard = reader.take(chunk);
        if (heard === undefined) return;
        over();
        socket.pause();
        resolve(heard);
      } catch (error) {
        if (!(error instanceof NotTheProtocol)) throw error;
        fail(notAHost(host, error.message));
      }
    };
    const broke = (error: NodeJS.ErrnoException) => fail(notReached(host, error));
    const closed = () => fail(notThere(host, 'it has closed the connection without a word'));
    const hasSpoken = awaitWord(() => fail(silent(host, silentMs)));
    const over = () => {
      hasSpoken();
      socket.off('data', hear).off('error', broke).off('close', closed);
      // A connection that was refused may still break.
      socket.on('error', () => undefined);
    };
    socket.on('data', hear).on('error', broke).on('close', closed);
    socket.write(greetingLine(fields));
  });
}

function notReached(host: WhichHost, error: NodeJS.ErrnoException): TdctlError {
  if (error.code === 'EACCES' || error.code === 'EPERM') return otherUsers(host);
  const why =
    error.code === 'ECONNREFUSED'
      ? 'its socket is there, and the process that served it has ended'
      : error.code === 'ENOENT'
        ? 'there is no socket of that name'
        : `its socket cannot be connected to (${error.code ?? error.message})`;
  return notThere(host, why, error);
}

/** @throws TdctlError for a host that turns this program away. */
function requireJoined({ protocol, fields }: Greeting, host: WhichHost): void {
  const { refused, tdctl, why } = fields as { refused?: string; tdctl?: string; why?: string };
  if (refused === 'user') throw otherUsers(host);
  if (protocol !== protocolVersion || refused === 'protocol') {
    throw otherProtocol(host, { here: protocolVersion, there: protocol, tdctl: tdctl ?? '' });
  }
  if (refused === 'ended') throw notThere(host, `it ends just now: ${why}`);
  if (refused !== undefined) throw notAHost(host, why ?? refused);
}
