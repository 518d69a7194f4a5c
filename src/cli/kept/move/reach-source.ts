/** The way to the keeper that has the TD now, and what it says of it. */
import { connectTd } from '../../../keeper/client.ts';
import type { KeeperIdentity } from '../../../keeper/identity.ts';
import { MovePeer } from '../../../keeper/move/peer.ts';
import { type MoveNews, moveRange, type SourceStands } from '../../../keeper/move/protocol.ts';
import { commonMoveVersion } from '../../../keeper/move/version.ts';
import { presenceOf, vantage } from '../../../keeper/presence.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import { readStatus } from '../../../keeper/status-file.ts';
import { tdFiles } from '../../../keeper/td-files.ts';
import { notKept } from './refusals.ts';

export interface Reached {
  readonly peer: MovePeer;
  readonly stands: SourceStands;
  /** Of what the two say to each other. */
  readonly version: number;
  /** The keeper that has it. */
  readonly keeper: KeeperIdentity;
}

const deadlineMs = 10_000;

/**
 * @throws TdctlError TDCTL_E_CONFLICT where nobody has it, or it cannot leave as it stands; TDCTL_E_NOT_ANSWERING;
 * TDCTL_E_API_VERSION.
 */
export async function reachSource(
  state: StateDirectory,
  name: string,
  { self, typed }: { readonly self: KeeperIdentity; readonly typed: (bytes: Uint8Array) => void },
): Promise<Reached> {
  const status = readStatus(tdFiles(state, name).status);
  if (status.kind !== 'read') throw notKept(name);
  const { keeper } = status.file;
  if (presenceOf(keeper, vantage()) === 'gone') throw notKept(name);
  const client = await connectTd(state, name, { deadlineMs });
  try {
    const version = commonMoveVersion(client.greeting, moveRange);
    const peer = new MovePeer(await client.move(version, { deadlineMs }), {
      told: (what, value) => {
        if (what === 'typed') typed((value as MoveNews['typed']).bytes);
      },
    });
    const stands = await peer.ask('begin', { version, process: self }, { deadlineMs });
    return { peer, stands, version, keeper };
  } finally {
    client.close();
  }
}
