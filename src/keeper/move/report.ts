/** What came of the move of a TD from one keeper to another. */
import type { ErrorInWords } from '../../diagnosis/refusals.ts';

interface Keeper {
  readonly pid: number;
  readonly tdctl: string;
}

export interface MoveReport {
  /** `destinationOnly`: the next keeper has the TD, and something is otherwise than it should be. */
  readonly verdict: 'completed' | 'destinationOnly';
  readonly fromKeeper: Keeper;
  readonly toKeeper: Keeper;
  /** How long no vCPU ran; null where none was to run. */
  readonly blackoutMs: number | null;
  readonly error: ErrorInWords | null;
  readonly leftovers: readonly ErrorInWords[];
}
