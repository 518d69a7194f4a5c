/** The way to the keeper that has the TD now, and what it says of it. */
import { keeperSocket } from '../../../keeper/asking/ask.ts';
import type { KeeperIdentity } from '../../../keeper/identity.ts';
import { MovePeer } from '../../../keeper/move/peer.ts';
import {
  type MoveNews,
  moveProtocol,
  moveRange,
  type SourceStands,
} from '../../../keeper/move/protocol.ts';
import { presenceOf, vantage } from '../../../keeper/presence.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { readStatus } from '../../../keeper/status-file.ts';
import { tdFiles } from '../../../keeper/td-files.ts';
import { notKept } from './refusals.ts';

export interface Reached {
  readonly peer: MovePeer;
  readonly stands: SourceStands;
  /** The keeper that has it. */
  readonly keeper: KeeperIdentity;
}

const deadlineMs = 10_000;

/** @throws TdctlError TDCTL_E_CONFLICT where nobody has it, or it cannot leave as it stands; TDCTL_E_NOT_ANSWERING. */
export async function reachSource(
  state: StateDirectory,
  name: string,
  { self, typed }: { readonly self: KeeperIdentity; readonly typed: (bytes: Uint8Array) => void },
): Promise<Reached> {
  const status = readStatus(tdFiles(state, name).status);
  if (status.kind !== 'read') throw notKept(name);
  const { keeper } = status.file;
  if (presenceOf(keeper, vantage()) === 'gone') throw notKept(name);
  const socket = keeperSocket(state, name);
  try {
    const { oldest, newest } = moveRange;
    const path = `/v1/move?oldest=${oldest}&newest=${newest}`;
    const peer = new MovePeer(await socket.upgrade({ path, deadlineMs }, moveProtocol), {
      told: (what, value) => {
        if (what === 'typed') typed((value as MoveNews['typed']).bytes);
      },
    });
    const stands = await peer.ask('begin', { version: newest, process: self }, { deadlineMs });
    return { peer, stands, keeper };
  } finally {
    socket.close();
  }
}
