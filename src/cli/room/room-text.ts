/** The room of a host in words. */
import type { Room, TakenDemand } from '../../plan/room/index.ts';
import { count, formatDuration } from '../output/units.ts';
import type { RoomTimes } from './times.ts';

/** A line for each kind of TD: `room for 63 (the next: no key slot is left of 63)`. */
export function roomLines({ demands }: Room): string[] {
  const isAlone = demands.length === 1;
  return demands.map((demand) => `${isAlone ? '' : `${demand.name}: `}${roomWords(demand)}`);
}

function roomWords({ asked, taken, stops }: TakenDemand): string {
  if (taken === null) return 'room for as many as are asked for, as far as is known';
  const of = asked === null || taken >= asked ? '' : ` of ${asked}`;
  const next = stops.map(({ text }) => text).join('; ');
  return `room for ${taken}${of}${next === '' ? '' : ` (the next: ${next})`}`;
}

export function timesWords({ tds, buildNs, teardownNs }: RoomTimes): string {
  const [build, teardown] = [buildNs, teardownNs].map((ns) => formatDuration(Number(ns) / 1e6));
  const who = tds === 1 ? 'it takes' : `one after the other ${count(tds, 'TD')} take`;
  return `${who} ${build} to build and ${teardown} to tear down (simulated)`;
}
