/** The first words of a keeper. */
import type { ApiRange } from './identity.ts';

/** `GET /v1`: the one answer that never changes its form, since by it the version is agreed upon. */
export interface Greeting {
  readonly name: string;
  readonly pid: number;
  readonly tdctl: string;
  readonly api: ApiRange;
  /** The versions of what keepers say to each other about a move; one that hands nothing over has none. */
  readonly move?: ApiRange | undefined;
  readonly startedAt: string;
  readonly chartVersion: number;
  /** What decides who may ask: who has connected, or only the mode of the directory. */
  readonly guard: 'peer-credentials' | 'directory';
}
