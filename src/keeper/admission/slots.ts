/** The hosts whose key slots many share, and where it is seen who waits for one of them and whether one is free. */
import { dirname, join } from 'node:path';
import { sharedHostName } from '../../host/identity.ts';
import { keySlotsPath } from '../../host/simulated/host-tree.ts';
import { hostFiles } from '../hosts/host-directory.ts';
import type { StateDirectory } from '../state-directory.ts';

export interface SharedSlots {
  /** The directory with the line of those who wait. */
  readonly queue: string;
  /** Directories in which something changes when a slot comes free. */
  readonly news: readonly string[];
}

/** On every other host each keeper has a machine of its own, and nobody else would give a slot of it back. */
export function sharesSlots(host: string): boolean {
  return host === 'kvm' || sharedHostName(host) !== undefined;
}

/**
 * @param host as `--host` names it
 * @returns undefined where the slots are those of one process alone.
 */
export function sharedSlots(state: StateDirectory, host: string): SharedSlots | undefined {
  if (!sharesSlots(host)) return undefined;
  const name = sharedHostName(host);
  // Whoever gives a slot back writes how long that took (measured.ts).
  if (name === undefined) return { queue: join(state.path, 'queue'), news: [state.path] };
  return {
    // Not in the directory of the host, which goes with it: whoever still waits would make it anew.
    queue: join(state.path, 'queue-on', name),
    news: [dirname(join(hostFiles(state, name).facts, keySlotsPath))],
  };
}
