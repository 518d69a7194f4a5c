/** Asks a server: over HTTP, or byte by byte. */
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { urlToHttpOptions } from 'node:url';

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Hangs up once it has seen this. */
  readonly until?: string;
}

export function ask(socketPath: string, path: string, asking?: Asking): Promise<Answer> {
  return askAt({ socketPath, path }, asking);
}

export function askUrl(url: string, asking?: Asking): Promise<Answer> {
  return askAt(urlToHttpOptions(new URL(url)), asking);
}

function askAt(where: RequestOptions, asking: Asking = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, until } = asking;
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, method, headers, agent: false }, (response) => {
      let text = '';
      const done = () => resolve({ status: response.statusCode, headers: response.headers, text });
      response.on('data', (chunk) => {
        text += chunk;
        if (until === undefined || !text.includes(until)) return;
        done();
        asked.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Sends the bytes as they are, and gives all that comes until the other side closes. */
export function sendRaw(socketPath: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let got = '';
    socket.on('data', (chunk) => {
      got += String(chunk);
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
    socket.write(text);
  });
}
