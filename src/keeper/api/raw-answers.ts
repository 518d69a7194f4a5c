/** Answers on a bare connection: where Node has no response, because nothing was understood or the protocol changes. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal, refusedWith } from './refusal.ts';

export function endWithRefusal(socket: Duplex, error: unknown): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusedWith(error);
  const lines = Object.entries({
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`${statusLine(status)}${lines.join('')}\r\n${body}`);
  // What still comes is not read, so that the connection closes.
  socket.once('finish', () => socket.destroy());
}

export function writeUpgrade(
  socket: Duplex,
  protocol: string,
  headers: Readonly<Record<string, number>> = {},
): void {
  const lines = Object.entries({ connection: 'Upgrade', upgrade: protocol, ...headers });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`${statusLine(101)}${text}\r\n`);
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
}

interface Reason {
  readonly status: number;
  readonly message: string;
  readonly hint: string;
}

/** What Node says of a request that it gives up on. */
const reasons: Readonly<Record<string, Reason>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    message: 'the headers have more than 16384 bytes',
    hint: 'no request needs so many',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    message: 'the extensions of the chunks are too long',
    hint: 'no request needs them',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    message: 'the request was not complete in time',
    hint: 'send it in one piece',
  },
};

const garbage: Reason = {
  status: 400,
  message: 'this is no request of HTTP/1.1',
  hint: 'try `curl --unix-socket control.sock http://tdctl/v1`',
};

export function refusalOfParser({ code = '' }: NodeJS.ErrnoException): Refusal {
  const { status, ...told } = reasons[code] ?? garbage;
  return new Refusal(status, told);
}
