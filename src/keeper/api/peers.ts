/** Who has connected, and whether the directory of the TD is theirs. */
import { statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { loadAddon, type PeerCredentials } from '../../../native/index.ts';
import type { Greeting } from '../greeting.ts';
import type { Peer } from './surface.ts';

export interface Peers {
  readonly guard: Greeting['guard'];
  /** Undefined where nobody can tell. */
  of(socket: Socket): Peer | undefined;
  mayAsk(peer: Peer | undefined): boolean;
}

type CredentialsOf = (fd: number) => PeerCredentials;

/** @param credentialsOf SO_PEERCRED, which only the addon can ask for. */
export function peersOf(
  directory: string,
  credentialsOf: CredentialsOf | undefined = addonsCredentials(),
): Peers {
  const owner = statSync(directory).uid;
  return {
    guard: credentialsOf === undefined ? 'directory' : 'peer-credentials',
    of: (socket) => {
      const fd = fdOf(socket);
      if (credentialsOf === undefined || fd === undefined) return undefined;
      const { pid, uid } = credentialsOf(fd);
      return { pid, uid };
    },
    mayAsk: (peer) =>
      credentialsOf === undefined || (peer !== undefined && (peer.uid === owner || peer.uid === 0)),
  };
}

function addonsCredentials(): CredentialsOf | undefined {
  const loaded = loadAddon();
  if (!loaded.available) return undefined;
  const { addon } = loaded;
  return (fd) => addon.peerCredentials(fd);
}

/** Node has no name for it; libuv's handle of a socket does. */
export function fdOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { _handle?: { readonly fd?: number } | null };
  const fd = handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
