/** How long TDs take together, one after the other: each kind is built and taken down once on a simulated twin. */
import { TdctlError } from '../../errors/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import { assessTd } from '../../plan/index.ts';
import type { JudgedHost } from '../../plan/judge/index.ts';
import type { Demand, Room } from '../../plan/room/index.ts';
import type { HostProfile } from '../../simulator/index.ts';
import { liveThrough } from '../plan/expected-times.ts';

export interface RoomTimes {
  /** The simulated machine whose times these are. */
  readonly host: string;
  /** So many TDs take that long. */
  readonly tds: number;
  readonly buildNs: bigint;
  readonly teardownNs: bigint;
}

export interface Twin {
  readonly profile: HostProfile;
  readonly kernel: string;
}

/**
 * The times of as many as are asked for, or as there is room for. Undefined where the twin cannot tell: the host
 * takes none of them, or it refuses what the host itself would take.
 */
export async function roomTimes(
  {
    demands,
    room,
    host,
  }: {
    readonly demands: readonly Demand[];
    readonly room: Room;
    readonly host: JudgedHost | KnownHost;
  },
  twin: Twin,
): Promise<RoomTimes | undefined> {
  const { openSimulatedHost } = await import('../../host/simulated/index.ts');
  // Others hold nothing on the twin: it is there for one TD at a time.
  const profile = { ...twin.profile, foreignTds: 0, cgroupLimits: [] };
  let sum: RoomTimes = { host: `sim:${profile.name}`, tds: 0, buildNs: 0n, teardownNs: 0n };
  for (const [at, { td }] of demands.entries()) {
    const { asked = null, taken = null } = room.demands[at] ?? {};
    const tds = Math.min(asked ?? Infinity, taken ?? Infinity);
    if (tds === 0) continue;
    const { plan } = assessTd({ spec: td.spec, firmware: td.firmware, host });
    if (plan === undefined || !Number.isFinite(tds)) return undefined;
    try {
      const simulated = openSimulatedHost({ profile, kernelAbi: twin.kernel });
      const { stepNs, teardownNs } = await liveThrough(plan, simulated);
      const buildNs = Object.values(stepNs).reduce((all, each) => all + each, 0n);
      const each = BigInt(tds);
      sum = {
        host: sum.host,
        tds: sum.tds + tds,
        buildNs: sum.buildNs + buildNs * each,
        teardownNs: sum.teardownNs + teardownNs * each,
      };
    } catch (error) {
      if (!(error instanceof TdctlError)) throw error;
      return undefined;
    }
  }
  return sum.tds === 0 ? undefined : sum;
}
