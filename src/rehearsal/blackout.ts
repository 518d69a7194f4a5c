import {
  intraHostMigration,
  type MigrationStateId,
} from '../../machines/intra-host-migration/index.ts';
import { hasTag } from '../../machines/state-id.ts';
import type { TdRun } from '../orchestrator/index.ts';

export interface MoveState {
  readonly state: MigrationStateId;
  readonly atMs: number;
}

export interface BlackoutPart {
  readonly step: string;
  readonly ms: number;
}

export interface MoveBlackout {
  /** From the pause of the source until a VM runs. */
  readonly ms: number;
  /** The steps in it, where a guest was really paused and entered. */
  readonly parts?: readonly BlackoutPart[];
}

interface Move {
  readonly states: readonly MoveState[];
  /** Every step of the move, in order. */
  readonly parts: readonly BlackoutPart[];
  readonly source: TdRun | undefined;
  readonly destination: TdRun | undefined;
}

/** On the clock of the host; undefined where nothing was paused. */
export function blackoutOf({ states, parts, source, destination }: Move): MoveBlackout | undefined {
  const from = states.findIndex(({ state }) => state === 'revocable.quiescingSource.pausingSource');
  const begin = states[from];
  const end = states
    .slice(from)
    .find(({ state }) => !hasTag(intraHostMigration, state, 'blackout'));
  if (begin === undefined || end === undefined) return undefined;
  const measured = measuredMs(source, destination);
  if (measured === undefined) return { ms: end.atMs - begin.atMs };
  const inBlackout = new Set(
    states
      .filter(({ state }) => hasTag(intraHostMigration, state, 'blackout'))
      .map(({ state }) => state.split('.').at(-1)),
  );
  return { ms: measured, parts: parts.filter(({ step }) => inBlackout.has(step)) };
}

/** From the moment when the last vCPU of the source was parked until the last of the destination was entered. */
function measuredMs(source: TdRun | undefined, destination: TdRun | undefined): number | undefined {
  const parkedNs = timesOf(source)?.parkedNs;
  const enteredNs = timesOf(destination)?.enteredNs;
  if (parkedNs === undefined || enteredNs === undefined || enteredNs < parkedNs) return undefined;
  return Number(enteredNs - parkedNs) / 1e6;
}

/** Since the vCPUs of a guest were entered, on the clock of this machine. */
export function sinceEnteredMs(td: TdRun | undefined): number | undefined {
  const enteredNs = timesOf(td)?.enteredNs;
  return enteredNs === undefined ? undefined : Number(process.hrtime.bigint() - enteredNs) / 1e6;
}

function timesOf(td: TdRun | undefined) {
  const handles = td?.session.handles;
  return handles?.has('guest') === true ? handles.get('guest').times() : undefined;
}
