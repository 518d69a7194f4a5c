/**
 * What a layout costs, and what is left out where it would cost too much. ELK's careful placement takes
 * seconds for a few hundred corners, and minutes for a thousand; its quick one goes up with their number.
 */
import type { ChartEdge, ChartIndex } from '../chart-model.ts';
import type { EdgeLines } from './edge-lines.ts';
import type { EdgeLine } from './geometry.ts';
import { rowsOfLines } from './rows.ts';

const careful = { states: 250, rows: 400 };

export interface DrawnLines extends EdgeLines {
  /** The layout is felt: it is announced, and done with less care. */
  readonly isLarge: boolean;
  /** How many lines would have led too far. Their transitions are told in the boxes of their states. */
  readonly leftOut: number;
}

/** Leaves out the longest lines where all of them together run through too many rows to be followed. */
export function drawnLines(
  { lines, stubs }: EdgeLines,
  { chart, edges }: { readonly chart: ChartIndex; readonly edges: readonly ChartEdge[] },
): DrawnLines {
  const rows = rowsOfLines(lines, chart);
  const states = chart.nodes.length;
  const total = sum([...rows.values()]);
  const isLarge = states >= careful.states || total > careful.rows;
  const tooLong = longest(lines, rows, total - rowsAllowed(states));
  if (tooLong.size === 0) return { lines, stubs, isLarge, leftOut: 0 };
  const told = new Set([
    ...stubs.map(({ id }) => id),
    ...[...tooLong].flatMap((line) => line.edges),
  ]);
  return {
    lines: lines.filter((line) => !tooLong.has(line)),
    stubs: edges.filter(({ id }) => told.has(id)),
    isLarge,
    leftOut: tooLong.size,
  };
}

/** More than a handful of long lines beside each state cannot be told apart in any picture. */
function rowsAllowed(states: number): number {
  return 4000 + 4 * states;
}

/** The fewest lines that have so many rows together. */
function longest(
  lines: readonly EdgeLine[],
  rows: ReadonlyMap<string, number>,
  excess: number,
): ReadonlySet<EdgeLine> {
  const taken = new Set<EdgeLine>();
  if (excess <= 0) return taken;
  const length = ({ id }: EdgeLine) => rows.get(id) ?? 0;
  let left = excess;
  for (const line of lines.toSorted((one, other) => length(other) - length(one))) {
    if (left <= 0) break;
    taken.add(line);
    left -= length(line);
  }
  return taken;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
