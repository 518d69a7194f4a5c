/** The TD itself: what INIT_VM is asked for, and where its quotes come from. */
import type { QuoteSocket } from '../../spec/trust-domain.ts';
import type { Making } from './element.ts';

export const tdObject = 'td';

export function tdWords({ spec: { attributes, identity, quotes } }: Making): string[] {
  const head = { 'qom-type': 'tdx-guest', id: tdObject };
  const rest = {
    ...Object.fromEntries(
      Object.entries(identity)
        .filter(([, bytes]) => bytes.some((byte) => byte !== 0))
        .map(([name, bytes]) => [name.toLowerCase(), Buffer.from(bytes).toString('base64')]),
    ),
    ...(quotes && { 'quote-generation-socket': socketAddress(quotes) }),
  };
  // sept-ve-disable is one of the bits. All 64 are said, which no number of JavaScript holds.
  const inner = [head, rest].map((part) => JSON.stringify(part).slice(1, -1));
  const members = [inner[0], `"attributes":${attributes}`, inner[1]];
  return ['-object', `{${members.filter((member) => member !== '').join(',')}}`];
}

/** SocketAddress of qapi/sockets.json. */
function socketAddress(socket: QuoteSocket): Readonly<Record<string, string>> {
  return socket.kind === 'unix'
    ? { type: 'unix', path: socket.path }
    : { type: 'vsock', cid: String(socket.cid), port: String(socket.port) };
}
