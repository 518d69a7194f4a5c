/** What a keeper was doing when it last wrote, as far as it matters to what is left of it. */
import { keptStateOf } from '../chart-state.ts';
import { isOver } from '../state.ts';
import type { StatusRecord } from '../status.ts';
import type { Evidence } from './evidence.ts';

/** The words are for the docs. */
export const underWays = {
  unreadable: 'not to be told: the files are damaged',
  nothing: 'nothing: the directory is half made',
  waiting: 'the wait for a key slot, or what comes before the first step',
  building: 'a step before KVM_TDX_INIT_VM',
  holding: 'KVM_TDX_INIT_VM, or anything after it up to the end',
  movedAway: 'the end of a move: the TD is in another VM',
  over: 'nothing any more: its end is written down',
} as const;

export type UnderWay = keyof typeof underWays;

/** In these a key slot may be held that the chart does not know of yet, or is no longer sure of. */
const mayHoldUnknown: readonly string[] = [
  'provisioning.initializingTd',
  'preparing.initializingTd',
  'interrupting',
  'receiving',
];

export function underWayOf({ files, lastRecord }: Evidence): UnderWay {
  if (files.kind === 'damaged') return 'unreadable';
  if (lastRecord?.outcome !== undefined) {
    return lastRecord.outcome === 'moved' ? 'movedAway' : 'over';
  }
  if (files.kind === 'halfMade') return 'nothing';
  const { td } = files.status;
  return td === null ? 'waiting' : underWayIn(td);
}

function underWayIn({ state, holdsKeySlot }: StatusRecord): UnderWay {
  if (isOver(keptStateOf(state))) return state === 'movedAway' ? 'movedAway' : 'over';
  if (state === 'queued' || state === 'absent') return 'waiting';
  return holdsKeySlot || mayHoldUnknown.includes(state) ? 'holding' : 'building';
}
