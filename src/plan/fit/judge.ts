import type { KnownHost } from '../../host/offer.ts';
import { judgeTd, type PreparedTd, type Reason } from '../judge/index.ts';
import { migrationReasons, type RunningTd } from './migration.ts';

/**
 * `migrates`: the TD can be started there, and moved there. `fits`: it can be started there.
 * `unknown`: nothing stands against it, and what matters is not known.
 */
export type Verdict = 'migrates' | 'fits' | 'unknown' | 'cannot';

export interface Judgement {
  readonly verdict: Verdict;
  /** The reasons against starting the TD there; the first is the one to look at first. */
  readonly reasons: readonly Reason[];
  /** The reasons against moving it there; undefined when that was not asked. */
  readonly migrationReasons: readonly Reason[] | undefined;
}

/** @param td the TD as it runs on the host it would come from, where that is asked. */
export function judgeHost(
  prepared: PreparedTd,
  { host, td }: { readonly host: KnownHost; readonly td?: RunningTd | undefined },
): Judgement {
  const reasons = judgeTd(prepared, host).flatMap((objection) => objection.reasons);
  const against = td && migrationReasons(td, host);
  return { verdict: verdictOf(host, { reasons, against }), reasons, migrationReasons: against };
}

function verdictOf(
  host: KnownHost,
  {
    reasons,
    against,
  }: { readonly reasons: readonly Reason[]; readonly against: readonly Reason[] | undefined },
): Verdict {
  if (reasons.length > 0) return 'cannot';
  if (host.offer === undefined) return 'unknown';
  return against?.length === 0 ? 'migrates' : 'fits';
}
