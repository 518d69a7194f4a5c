import {
  intraHostMigration,
  type MigrationStateId,
} from '../../machines/intra-host-migration/index.ts';
import { hasTag } from '../../machines/state-id.ts';

export interface MoveState {
  readonly state: MigrationStateId;
  readonly atMs: number;
}

/** Simulated milliseconds from the pause of the source until a VM runs; undefined where none paused. */
export function blackoutOf(states: readonly MoveState[]): number | undefined {
  const from = states.findIndex(({ state }) => state === 'revocable.quiescingSource.pausingSource');
  const begin = states[from];
  const end = states
    .slice(from)
    .find(({ state }) => !hasTag(intraHostMigration, state, 'blackout'));
  if (begin === undefined || end === undefined) return undefined;
  return end.atMs - begin.atMs;
}
