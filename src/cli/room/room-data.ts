/** The room of a host as data: the same in `tdctl fit` and `tdctl host --room` (docs/fit.md). */
import type { Room } from '../../plan/room/index.ts';
import { twinIdentity } from '../output/host-parts.ts';
import type { RoomTimes } from './times.ts';

export function roomData({ taken, isEnough, demands }: Room, times: RoomTimes | undefined) {
  return { taken, isEnough, demands, expectedTimes: times ? timesData(times) : null };
}

function timesData({ host, tds, buildNs, teardownNs }: RoomTimes) {
  return { host: twinIdentity(host), tds, buildMs: toMs(buildNs), teardownMs: toMs(teardownNs) };
}

/** Rounded to microseconds. */
function toMs(ns: bigint): number {
  return Number(ns / 1000n) / 1000;
}
