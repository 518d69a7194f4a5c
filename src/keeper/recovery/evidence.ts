/** What is found of a kept TD: all that anything is concluded from. */
import type { KeeperIdentity } from '../identity.ts';
import type { Moment } from '../moment.ts';
import type { Presence } from '../presence.ts';
import type { StatusFile } from '../status.ts';
import type { VmHolding } from '../vm-holders.ts';

export interface Evidence {
  readonly name: string;
  readonly now: Moment;
  /** Whether the files are of this boot, by what the keeper wrote; true where it wrote nothing. */
  readonly isThisBoot: boolean;
  readonly files: FilesRead;
  /** Who kept it last; undefined where nobody has written so. */
  readonly keeper: KeeperIdentity | undefined;
  /** `nobody` also where nobody looked, because the end is written down. */
  readonly presence: Presence | 'nobody';
  /** Whether a process has the lock; undefined where nobody looked. */
  readonly lock: 'held' | 'free' | undefined;
  /** The last word of the journal; it is looked for where the status is not the last word already. */
  readonly lastRecord: LastRecord | undefined;
  /** The keeper that the TD was to move to; it is looked for where the one before is silent. */
  readonly next?: NextKeeper | undefined;
  /** What only a closer look tells. */
  readonly closer: CloserLook | undefined;
}

export type FilesRead =
  | { readonly kind: 'read'; readonly status: StatusFile }
  /** No status was ever written: the directory is half made. */
  | { readonly kind: 'halfMade' }
  /** `why` is a clause. */
  | { readonly kind: 'damaged'; readonly why: string };

export interface NextKeeper {
  readonly pid: number;
  /** Whether it is there, and if it is not, how far it had come. */
  readonly found: keyof typeof nextFound;
}

/** The words are for the docs. */
export const nextFound = {
  lives: 'its next keeper is there',
  stopped: 'its next keeper is there, and SIGSTOP holds it',
  diedWithTd: 'its next keeper is gone too, and had the TD',
  diedMoving: 'its next keeper is gone too, and had begun the move itself',
  diedBefore: 'its next keeper is gone too, and had not begun the move itself',
} as const;

export interface LastRecord {
  readonly at: Moment;
  /** Of the record `over`, which is the last of a life. */
  readonly outcome: string | undefined;
}

export interface CloserLook {
  /** Clauses on a journal that is not whole. */
  readonly journalProblems: readonly string[];
  /** Other processes that have fds of VMs open, which may be those of a keeper that is gone. */
  readonly vmHolders: readonly Pick<VmHolding, 'pid' | 'program'>[];
  /** A socket that nobody serves. */
  readonly socketIsStale: boolean;
  /** Key slots of the host that are in use, where its kernel counts them (misc.current). */
  readonly keySlotsInUse: number | undefined;
}
