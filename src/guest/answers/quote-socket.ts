/** A quote generation service behind a UNIX socket. */
import { connect, type Socket } from 'node:net';
import { type ExchangeOptions, type QuoteService, QuoteServiceError } from './parts.ts';

export function quotesAtUnixSocket(path: string): QuoteService {
  return {
    name: `unix:${path}`,
    exchange: (message, options) => exchange(connect({ path }), message, options),
  };
}

/** A service that cannot be asked, and why. */
export function unavailableQuotes(name: string, why: string): QuoteService {
  return { name, exchange: () => Promise.reject(new QuoteServiceError('unavailable', why)) };
}

function exchange(
  socket: Socket,
  message: Uint8Array,
  { signal, lengthOf, mostBytes }: ExchangeOptions,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = settler<Uint8Array>();
  let received = new Uint8Array();
  let connected = false;
  const fail = (why: string, cause?: unknown) =>
    reject(new QuoteServiceError(connected ? 'failed' : 'unavailable', why, cause));
  const leave = () => fail('the request was given up');
  signal.addEventListener('abort', leave, { once: true });
  socket.once('connect', () => {
    connected = true;
    socket.write(message);
  });
  socket.on('data', (bytes: Uint8Array) => {
    received = new Uint8Array(Buffer.concat([received, bytes]));
    const length = lengthOf(received) ?? 0;
    if (length > mostBytes || received.length > mostBytes) {
      fail(`its reply has more than the ${mostBytes} bytes that the guest has room for`);
    } else if (length > 0 && received.length > length) {
      fail(`it sent ${received.length - length} bytes after its reply`);
    } else if (received.length === length) {
      resolve(received);
    }
  });
  socket.once('error', (error) => fail(connectionFailure(error), error));
  socket.once('close', () => fail('it closed the connection before its reply was whole'));
  return promise.finally(() => {
    signal.removeEventListener('abort', leave);
    socket.destroy();
  });
}

function connectionFailure(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  return reasons[code] ?? `the connection failed (${code})`;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket (ENOENT): is the service (qgsd) started?',
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED): is the service (qgsd) started?',
  EACCES: 'this user may not connect to it (EACCES)',
  EPIPE: 'it closed the connection before it was asked (EPIPE)',
  ECONNRESET: 'it broke the connection off (ECONNRESET)',
};

function settler<Value>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
