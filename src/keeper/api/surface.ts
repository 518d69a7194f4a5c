/** What the server of the API needs of a keeper. */
import type { Duplex } from 'node:stream';
import type { Feed } from '../../feed/index.ts';
import type { KeeperIdentity } from '../identity.ts';
import type { KeptTd } from '../kept-td.ts';
import type { MoveReport } from '../move/report.ts';
import type { ToldRecord } from '../told.ts';
import type { KeptMetrics } from './metrics.ts';
import type { KeptVerb } from './verbs.ts';

export interface KeptSurface {
  readonly name: string;
  readonly identity: KeeperIdentity;
  /** The TD as it stands at this moment, and what is to come of it. */
  td(): Promise<KeptTd>;
  /**
   * Resolves once what was asked has been reached or, of `stop` and `kill`, has begun. What is asked for twice is
   * no error: `changed` says whether there was something to do.
   *
   * @throws TdctlError TDCTL_E_CONFLICT where the state does not take it.
   */
  act(verb: KeptVerb, asked: AskedBy): Promise<Acted>;
  /** Writes down that somebody was turned away. It is called once for each user, however often one comes. */
  refused(by: Peer): void;
  /** The records that are told, under their `seq`. */
  readonly feed: Feed<ToldRecord>;
  readonly console: KeptConsole;
  readonly move: MoveDoor;
  /**
   * Begins another keeper, of that program, to which the TD moves; undefined where whoever asks for a move begins it.
   *
   * @throws TdctlError where the TD has not come to it.
   */
  readonly beginNext: ((program: string) => Promise<MoveReport>) | undefined;
  metrics(): KeptMetrics;
}

export interface AskedBy {
  /** Undefined where the addon cannot be loaded, and so nobody knows. */
  readonly by: Peer | undefined;
  /** How long the guest has to end by itself before it is taken down. */
  readonly graceMs?: number | undefined;
}

export interface Peer {
  readonly pid: number;
  readonly uid: number;
}

export interface Acted {
  readonly td: KeptTd;
  readonly changed: boolean;
}

/** Where another keeper comes in that the TD is to move to. */
export interface MoveDoor {
  /** @throws TdctlError TDCTL_E_CONFLICT where the TD cannot leave as it stands. */
  check(): void;
  /** @throws TdctlError TDCTL_E_NOT_ANSWERING where another keeper has the TD by now. */
  checkHere(): void;
  /** Resolves once the TD is in the hands of no move that has it stand still. */
  settled(): Promise<void>;
  /** Takes what is typed while the TD is on its way, or is with the next keeper; undefined where it is here. */
  typed(bytes: Uint8Array): number | undefined;
  /** The next keeper has it. */
  readonly hasLeft: boolean;
  /** Answers on the connection what that keeper asks. */
  open(socket: Duplex): { end(): Promise<void> };
}

export interface KeptConsole {
  /** Of the log. */
  readonly path: string;
  /** How long the log is at this moment: it has what was printed until now. */
  readonly sizeBytes: number;
  /** Another keeper has the TD by now, and takes what is typed. */
  readonly goesOn: boolean;
  /** @returns how many bytes were taken; none where no guest runs. */
  input(bytes: Uint8Array): number;
  /** @returns the way to end the subscription. */
  subscribe(listener: (bytes: Uint8Array) => void): () => void;
}
