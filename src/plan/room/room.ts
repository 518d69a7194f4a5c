/**
 * How many TDs a host takes, and what stops the next one: each takes a key slot, a place in the misc cgroup,
 * memory of the host and of its cgroup. What a TD may have by itself, such as its vCPUs, is asked of the one
 * judgement first.
 */
import { roundedBytes } from '../../documents/quantity.ts';
import { judgeTd } from '../judge/judge.ts';
import { keptForPamt, memoryNeed } from '../judge/memory.ts';
import {
  always,
  factsOf,
  type JudgedHost,
  now,
  type Reason,
  type ReasonId,
} from '../judge/objection.ts';
import type { PreparedTd } from '../judge/prepare.ts';

/** TDs of one kind. */
export interface Demand {
  readonly name: string;
  readonly td: PreparedTd;
  /** So many are asked for; undefined: as many as there is room for. */
  readonly count?: number | undefined;
}

export interface TakenDemand {
  readonly name: string;
  /** Null: as many as there is room for. */
  readonly asked: number | null;
  /** Null: nothing that is known bounds them. */
  readonly taken: number | null;
  /** What keeps the next one out. */
  readonly stops: readonly Reason[];
}

export interface Room {
  readonly demands: readonly TakenDemand[];
  /** All of them together; null: nothing that is known bounds them. */
  readonly taken: number | null;
  /** Every TD that was asked for is taken, or at least one where no number was. */
  readonly isEnough: boolean;
}

/** Something of which each TD takes a part, and what is left of it. */
interface Supply {
  readonly id: ReasonId;
  left: bigint;
  /** What there is of it when nobody has any; undefined: a limit that may be raised. */
  readonly whole?: bigint;
  readonly takes: (td: PreparedTd) => bigint;
  /** What is said when it does not suffice for one more. */
  readonly words: (needed: bigint, left: bigint) => string;
}

/**
 * One kind of TD gets all the room there is, also beyond what is asked for. Several are served in their order, each
 * up to its number, so that the last are those that are left over.
 */
export function roomFor(demands: readonly Demand[], host: JudgedHost): Room {
  const supplies = suppliesOf(host);
  const isAlone = demands.length === 1;
  const served = demands.map((demand) => serve(demand, { host, supplies, isAlone }));
  const counts = served.map(({ taken }) => taken);
  return {
    demands: served,
    taken: counts.some((taken) => taken === null)
      ? null
      : counts.reduce<number>((sum, taken) => sum + (taken ?? 0), 0),
    isEnough: served.every(({ asked, taken }) => taken === null || taken >= (asked ?? 1)),
  };
}

interface Serving {
  readonly host: JudgedHost;
  readonly supplies: readonly Supply[];
  readonly isAlone: boolean;
}

function serve({ name, td, count }: Demand, { host, supplies, isAlone }: Serving): TakenDemand {
  const asked = count ?? null;
  const against = judgeTd(td, host).flatMap(({ reasons }) => reasons);
  if (against.length > 0) return { name, asked, taken: 0, stops: against };
  const room = supplies.map(({ left, takes }) => left / takes(td));
  const most = room.reduce<bigint | undefined>(
    (least, each) => (least === undefined || each < least ? each : least),
    undefined,
  );
  if (most === undefined) return { name, asked, taken: null, stops: [] };
  const possible = isAlone ? Number(most) : Math.min(count ?? Number(most), Number(most));
  const stops =
    possible < Number(most)
      ? []
      : supplies
          .filter((_, at) => room[at] === most)
          .map((supply) => stopOf(supply, { td, asked, possible }));
  for (const supply of supplies) supply.left -= supply.takes(td) * BigInt(possible);
  return { name, asked, taken: possible, stops };
}

function stopOf(
  { id, left, whole, takes, words }: Supply,
  {
    td,
    asked,
    possible,
  }: { readonly td: PreparedTd; readonly asked: number | null; readonly possible: number },
): Reason {
  const needed = takes(td);
  const text = words(needed, left - needed * BigInt(possible));
  const neverFits = whole !== undefined && asked !== null && needed * BigInt(asked) > whole;
  return neverFits ? always(id, text) : now(id, text);
}

function suppliesOf(host: JudgedHost): Supply[] {
  const { keySlots, cgroupRoom, memory } = host;
  const supplies: Supply[] = [];
  const one = () => 1n;
  if (keySlots !== undefined) {
    const { total, used } = keySlots;
    const others = used === 0 ? '' : `, of which others have ${used}`;
    supplies.push({
      id: 'keySlot',
      left: atLeast0(BigInt(total - used)),
      whole: BigInt(total),
      takes: one,
      words: () => `no key slot is left of ${total}${others}`,
    });
  }
  if (cgroupRoom !== undefined) {
    supplies.push({
      id: 'cgroup',
      left: atLeast0(BigInt(cgroupRoom)),
      takes: one,
      words: () => `misc.max of the cgroup has room for ${cgroupRoom}`,
    });
  }
  if (memory === undefined) return supplies;
  const kept = factsOf(host) === undefined ? 0n : keptForPamt(memory);
  const inAll = memory.totalBytes - kept;
  const { availableBytes = inAll, cgroupBytes } = memory;
  supplies.push({
    id: 'memory',
    left: atLeast0(availableBytes < inAll ? availableBytes : inAll),
    whole: inAll,
    takes: (td) => memoryNeed(td, host).hostBytes,
    words: (needed, left) => `${roundedBytes(needed)} needed, ${roundedBytes(left)} of memory left`,
  });
  if (cgroupBytes !== undefined) {
    supplies.push({
      id: 'cgroupMemory',
      left: atLeast0(cgroupBytes),
      takes: (td) => memoryNeed(td, host).cgroupBytes,
      words: (needed, left) =>
        `${roundedBytes(needed)} needed, ${roundedBytes(left)} of memory.max of the cgroup left`,
    });
  }
  return supplies;
}

function atLeast0(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}
