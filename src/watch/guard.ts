/**
 * Who may look. The page is on loopback, and so are the browsers of everyone on this machine and all
 * web pages open in them. Hence a token that nobody guesses, no answer to a name that is not
 * loopback's (DNS rebinding), and none to another page's request.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export type Admission =
  | { readonly path: string }
  | { readonly status: number; readonly message: string };

/** A tunnel (`ssh -L`) changes the port, never the name. */
const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** @returns the path behind the token, or why the request is turned away. */
export function admit({ method, url, headers }: Asked, token: string): Admission {
  const { host = '', origin } = headers;
  if (!loopbackHost.test(host)) {
    return { status: 421, message: 'this page answers to localhost and 127.0.0.1 only' };
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, message: 'another page may not ask for this' };
  }
  const site = headers['sec-fetch-site'];
  if (method === 'POST' && site !== undefined && site !== 'same-origin') {
    return { status: 403, message: 'another page may not ask for this' };
  }
  const [, given = '', path] = /^\/([^/?]*)(\/[^?]*)?/.exec(url) ?? [];
  if (!isEqual(given, token) || path === undefined) {
    return { status: 404, message: 'use the whole address that tdctl printed' };
  }
  return { path };
}

function isEqual(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
