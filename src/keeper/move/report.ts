/** What came of the move of a TD from one keeper to another. */
import type { ErrorInWords } from '../../diagnosis/refusals.ts';

interface Keeper {
  readonly pid: number;
  readonly tdctl: string;
}

export interface BlackoutPart {
  readonly state: string;
  readonly durationMs: number;
}

export interface MoveReport {
  /** `destinationOnly`: the next keeper has the TD, and something is otherwise than it should be. */
  readonly verdict: 'completed' | 'destinationOnly';
  readonly fromKeeper: Keeper;
  readonly toKeeper: Keeper;
  /** How long no vCPU ran; null where none was to run. */
  readonly blackoutMs: number | null;
  /** The states of the migration in which none ran, as the next keeper has seen them, in their order. */
  readonly blackoutParts: readonly BlackoutPart[];
  readonly error: ErrorInWords | null;
  readonly leftovers: readonly ErrorInWords[];
}
