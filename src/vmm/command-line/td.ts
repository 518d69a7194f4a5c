/** The TD itself: what INIT_VM is asked for, and where its quotes come from. */
import type { QuoteSocket } from '../../spec/trust-domain.ts';
import type { Making } from './element.ts';
import { json } from './words.ts';

export const tdObject = 'td';

export function tdWords({ spec: { attributes, identity, quotes } }: Making): string[] {
  return json('-object', {
    'qom-type': 'tdx-guest',
    id: tdObject,
    // sept-ve-disable is a bit of it, which QEMU sets unless it is told; the mask says all.
    attributes: Number(attributes),
    ...Object.fromEntries(
      Object.entries(identity)
        .filter(([, bytes]) => bytes.some((byte) => byte !== 0))
        .map(([name, bytes]) => [name.toLowerCase(), Buffer.from(bytes).toString('base64')]),
    ),
    ...(quotes && { 'quote-generation-socket': socketAddress(quotes) }),
  });
}

/** SocketAddress of qapi/sockets.json. */
function socketAddress(socket: QuoteSocket): Readonly<Record<string, string>> {
  return socket.kind === 'unix'
    ? { type: 'unix', path: socket.path }
    : { type: 'vsock', cid: String(socket.cid), port: String(socket.port) };
}
