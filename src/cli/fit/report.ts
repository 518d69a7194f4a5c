/** What is told of the hosts that were judged, and who shows it. */
import type { TdctlError } from '../../errors/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import type { Judgement, Verdict } from '../../plan/fit/index.ts';
import type { ReasonId } from '../../plan/judge/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';

export type HostResult =
  | { readonly place: string; readonly host: KnownHost; readonly judgement: Judgement }
  | { readonly problem: TdctlError };

/** A view takes results as they come. */
export interface FitView {
  begin(question: { readonly spec: TrustDomain; readonly from: string | undefined }): void;
  add(result: HostResult): Promise<void> | void;
  end(summary: Summary): void;
}

export interface Summary {
  readonly hosts: number;
  readonly judged: number;
  readonly unreadable: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** So many hosts have each reason against starting the TD; a host may have several. */
  readonly reasons: Readonly<Partial<Record<ReasonId, number>>>;
  /** So many hosts have each reason against moving it. */
  readonly migrationReasons: Readonly<Partial<Record<ReasonId, number>>>;
}
