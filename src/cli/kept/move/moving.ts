import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { CommandIo } from '../../io.ts';

export interface Moving {
  readonly state: StateDirectory;
  readonly io: CommandIo;
  /** Ends the waiting; the next keeper goes on. */
  readonly signal?: AbortSignal | undefined;
  /** The program of the keeper that takes it over. */
  readonly program: string;
}
