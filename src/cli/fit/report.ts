/** What is told of the hosts that were judged, and who shows it. */
import type { TdctlError } from '../../errors/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import type { Judgement, Verdict } from '../../plan/fit/index.ts';
import type { ReasonId } from '../../plan/judge/index.ts';
import type { RoomTimes } from '../room/times.ts';

export type HostResult =
  | {
      readonly place: string;
      readonly host: KnownHost;
      readonly judgement: Judgement;
      /** Undefined where nobody asked how many, or no twin can tell. */
      readonly times: RoomTimes | undefined;
    }
  | { readonly problem: TdctlError };

export interface FitQuestion {
  /** Of the TD, or of the fleet. */
  readonly name: string;
  readonly from: string | undefined;
  readonly count: number | undefined;
}

/** A view takes results as they come. */
export interface FitView {
  begin(question: FitQuestion): void;
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
  /** So many of them have room on the hosts that can take it, all hosts together; null: no bound is known of one. */
  readonly room: number | null;
  /** So many hosts have each reason against moving it. */
  readonly migrationReasons: Readonly<Partial<Record<ReasonId, number>>>;
}
