import type { LeafName } from './leaves.ts';

/** What one status code of the TDX module means to the person who meets it. */
export interface StatusRow {
  /** A clause without a full stop. */
  readonly meaning: string;
  /** Leaves that return it. Empty: any leaf may. */
  readonly returnedBy: readonly LeafName[];
  readonly causes?: readonly string[];
  readonly next: string;
}
