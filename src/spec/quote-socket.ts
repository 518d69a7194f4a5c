/** `spec.quotes.socket`: where the quote generation service of the host listens. */
import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';

export type QuoteSocket =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'vsock'; readonly cid: number; readonly port: number };

const forms = 'must be unix:PATH or vsock:CID:PORT';
/** struct sockaddr_un has so many bytes for a path, of which the last is a NUL. */
const longestPathBytes = 107;
const largest = 2 ** 32 - 1;

export const quoteSocketPattern = '^(unix:.+|vsock:\\d{1,10}:\\d{1,10})$';

export function parseQuoteSocket(value: unknown): Parsed<QuoteSocket> {
  if (typeof value !== 'string') return refused(`${forms}; this is ${describeValue(value)}`);
  const [, kind, rest = ''] = /^(unix|vsock):(.*)$/s.exec(value) ?? [];
  if (kind === 'unix') return unixSocket(rest);
  if (kind === 'vsock') return vsock(rest);
  const isPath = value.startsWith('/') || value.startsWith('./');
  return refused(`${forms}; ${isPath ? `write unix:${value}` : `this is ${describeValue(value)}`}`);
}

function unixSocket(path: string): Parsed<QuoteSocket> {
  if (path === '') return refused('names no path after unix:');
  if (path.includes('\0')) return refused('must not contain a NUL character');
  const bytes = Buffer.byteLength(path);
  if (bytes > longestPathBytes) {
    return refused(
      `has a path of ${bytes} bytes, and that of a UNIX socket has at most ${longestPathBytes}`,
    );
  }
  return parsed({ kind: 'unix', path });
}

function vsock(address: string): Parsed<QuoteSocket> {
  const [, cid, port] = /^(\d{1,10}):(\d{1,10})$/.exec(address) ?? [];
  if (cid === undefined || port === undefined) {
    return refused(
      'must have a CID and a port after vsock:, both decimal, such as vsock:2:4050 (2 is the host)',
    );
  }
  for (const [what, number] of [
    ['CID', cid],
    ['port', port],
  ] as const) {
    if (Number(number) > largest) return refused(`has a ${what} above ${largest}: ${number}`);
  }
  return parsed({ kind: 'vsock', cid: Number(cid), port: Number(port) });
}
