/** Who plays a run: a machine that is made for it, or whoever else can (src/dress-rehearsal). */
import { type Rehearsal, type RehearseOptions, rehearseSimulated } from './rehearse-once.ts';
import type { StageOptions } from './stage.ts';

/** Resolves with undefined where `signal` has ended it. */
export type Player = (asked: PlayedRun) => Promise<Rehearsal | undefined>;

export type PlayedRun = Pick<RehearseOptions, 'scenario' | 'faults' | 'hooks' | 'onOperation'> & {
  readonly signal?: AbortSignal | undefined;
};

export type Place = StageOptions | Player;

export function playerOf(place: Place): Player {
  if (typeof place === 'function') return place;
  return ({ signal: _, ...options }) => rehearseSimulated(place, options);
}
