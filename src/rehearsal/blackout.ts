import type { RunRecord } from './record.ts';

/** A move enters one of these states once vCPUs are inside KVM_RUN again, or never will be. */
const ends: ReadonlySet<string> = new Set([
  'irrevocable.retiringSource',
  'sourceKept',
  'clearingUp',
  'lost',
]);

/** Simulated milliseconds from the pause of the source until a VM runs; undefined where it was not paused. */
export function blackoutOf(record: RunRecord, moveLane: string): number | undefined {
  const ofMove = record.statesOf(moveLane);
  const begin = ofMove.find(({ state }) => state === 'revocable.quiescingSource');
  const end = ofMove.find(({ state }) => ends.has(state));
  if (begin === undefined || end === undefined) return undefined;
  return end.atMs - begin.atMs;
}
