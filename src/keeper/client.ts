/** The other end of a keeper's socket, which `tdctl` itself speaks through. docs/keeper-api.md is the contract. */
import type { Duplex } from 'node:stream';
import type { Acted } from './api/surface.ts';
import type { KeptVerb } from './api/verbs.ts';
import type { Greeting } from './greeting.ts';
import type { KeptTd } from './kept-td.ts';
import type { ToldRecord } from './told.ts';

/** Each call throws TdctlError: TDCTL_E_NOT_ANSWERING after its deadline, and what the keeper answered with. */
export interface KeeperClient {
  readonly greeting: Greeting;
  /** The version of the API that both speak. */
  readonly version: number;
  td(options?: Deadline): Promise<KeptTd>;
  /** Resolves as KeptSurface.act does: of `stop` and `kill`, once the teardown has begun. */
  act(
    verb: KeptVerb,
    options?: Deadline & { readonly graceMs?: number | undefined },
  ): Promise<Acted>;
  /**
   * What is told of the TD from that record on, the kept history first. It ends with the TD; where the keeper has
   * died, the rest comes from the journal.
   */
  events(options?: {
    /** The seq of the last record that is known already. */
    readonly since?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<ToldRecord>;
  /** What the guest prints from now on, or from that byte of the log on, and what is typed to it. */
  console(options?: { readonly from?: number | undefined } & Deadline): Promise<Duplex>;
  /** OpenMetrics text. */
  metrics(options?: Deadline): Promise<string>;
  /** Lets the connections go. */
  close(): void;
}

export interface Deadline {
  readonly deadlineMs?: number | undefined;
}
