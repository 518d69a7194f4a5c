import type { KnownHost } from '../../host/offer.ts';
import type { Reason } from '../judge/index.ts';
import { type Demand, type Room, roomFor } from '../room/index.ts';
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
  /** How many of them there is room for. */
  readonly room: Room;
}

/** @param td the TD as it runs on the host it would come from, where that is asked. */
export function judgeHost(
  demands: readonly Demand[],
  { host, td }: { readonly host: KnownHost; readonly td?: RunningTd | undefined },
): Judgement {
  const room = roomFor(demands, host);
  const reasons = room.isEnough ? [] : shortOf(room);
  const against = td && migrationReasons(td, host);
  return {
    verdict: verdictOf(host, { reasons, against }),
    reasons,
    migrationReasons: against,
    room,
  };
}

/** Where some of them are taken, the reason says how many. */
function shortOf({ demands }: Room): Reason[] {
  return demands.flatMap(({ name, asked, taken, stops }) => {
    if (taken === null || taken >= (asked ?? 1)) return [];
    if (taken === 0 && demands.length === 1) return stops;
    const who = demands.length === 1 ? '' : `${name}: `;
    return stops.map((stop) => ({
      ...stop,
      text: `${who}room for ${taken} of ${asked ?? 1}: ${stop.text}`,
    }));
  });
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
