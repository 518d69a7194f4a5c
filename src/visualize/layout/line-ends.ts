/** This module decides where lines may end on a state, and the room that they need there. */
import type { LayoutOptions } from 'elkjs';
import type { ChartIndex } from '../chart-model.ts';
import type { Direction } from './direction.ts';
import type { EdgeLine } from './geometry.ts';
import { upperAndLower } from './line-direction.ts';

/**
 * The room is that between two lines on a side, and that beside the last, where the corner is round.
 */
export const lineRoom = {
  down: { between: 16, beside: 18 },
  right: { between: 12, beside: 10 },
} as const;

/** Counts the lines that end on the fuller of a state's two sides that lines come to. */
export function countLineEnds(
  lines: readonly EdgeLine[],
  chart: ChartIndex,
): (id: string) => number {
  const ends = lines.map((line) => upperAndLower(line, chart));
  const initials = chart.nodes.flatMap(({ initial }) => (initial === null ? [] : [initial]));
  const above = countEach([...initials, ...ends.map(({ lower }) => lower)]);
  const below = countEach(ends.map(({ upper }) => upper));
  return (id) => Math.max(above.get(id) ?? 0, below.get(id) ?? 0);
}

/** Gives the length of a side on which the lines can be told apart. */
export function sideLength(ends: number, direction: Direction): number {
  const { between, beside } = lineRoom[direction];
  return ends > 1 ? 2 * beside + (ends - 1) * between : 0;
}

/**
 * Lines end where they can be straight. A line that is alone on its side ends in the middle, so that a
 * chain of such states is a spine. (ELK reads the spacing of a node only by way of
 * `spacing.individual`.)
 */
export function lineEndOptions(ends: number, direction: Direction): LayoutOptions {
  if (ends < 2) return {};
  const { beside } = lineRoom[direction];
  return {
    'elk.layered.nodePlacement.networkSimplex.nodeFlexibility': 'PORT_POSITION',
    'elk.spacing.individual': `elk.spacing.portsSurrounding:[top=${beside},left=${beside},bottom=${beside},right=${beside}]`,
  };
}

function countEach(ids: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}
