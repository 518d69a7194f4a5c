/**
 * How many rows of the picture each line runs through, as far as the chart tells before it is laid out. ELK
 * puts a corner of every line into every such row, so that is what a layout costs.
 */
import type { ChartIndex, ChartNode } from '../chart-model.ts';
import type { EdgeLine } from './geometry.ts';
import { upperAndLower } from './line-direction.ts';

interface Way {
  readonly upper: ChartNode;
  readonly lower: ChartNode;
  /** The two states around the ends, or the ends themselves, that lie beside each other. */
  readonly from: ChartNode;
  readonly to: ChartNode;
}

/** @returns rows by the id of the line. */
export function rowsOfLines(
  lines: readonly EdgeLine[],
  chart: ChartIndex,
): ReadonlyMap<string, number> {
  const ways = lines.map((line) => wayOf(line, chart));
  const rows = rowsOfStates(ways, chart);
  const row = ({ id }: ChartNode) => rows.get(id) ?? 0;
  const lastRow = new Map<string, number>();
  for (const node of chart.nodes) {
    const parent = chart.parent(node.id)?.id ?? '';
    lastRow.set(parent, Math.max(lastRow.get(parent) ?? 0, row(node)));
  }
  const below = (node: ChartNode) =>
    (lastRow.get(chart.parent(node.id)?.id ?? '') ?? 0) - row(node);
  return new Map(
    lines.map(({ id }, at) => {
      const { upper, lower, from, to } = ways[at] ?? noWay();
      const leaving = withinUpTo(upper, from, chart).reduce((sum, node) => sum + below(node), 0);
      const entering = withinUpTo(lower, to, chart).reduce((sum, node) => sum + row(node), 0);
      return [id, row(to) - row(from) + leaving + entering];
    }),
  );
}

/** As ELK's longest path has it: each state stands as early as those before it in its compound allow. */
function rowsOfStates(ways: readonly Way[], chart: ChartIndex): ReadonlyMap<string, number> {
  const before = new Map<string, ChartNode[]>();
  for (const { from, to } of ways) {
    const above = before.get(to.id);
    if (above === undefined) before.set(to.id, [from]);
    else above.push(from);
  }
  const rows = new Map<string, number>();
  // Lines lead down in document order, so what is before a state has its row already.
  for (const { id } of chart.nodes) {
    const above = before.get(id) ?? [];
    rows.set(
      id,
      above.reduce((row, node) => Math.max(row, (rows.get(node.id) ?? 0) + 1), 0),
    );
  }
  return rows;
}

function wayOf(line: EdgeLine, chart: ChartIndex): Way {
  const ends = upperAndLower(line, chart);
  const [upper, lower] = [chart.node(ends.upper), chart.node(ends.lower)];
  const aroundUpper = [upper, ...chart.ancestors(upper.id)];
  const aroundLower = [lower, ...chart.ancestors(lower.id)];
  const parents = new Set(aroundUpper);
  const common = aroundLower.find((node) => parents.has(node));
  const beside = (around: readonly ChartNode[]) =>
    around[(common === undefined ? 0 : around.indexOf(common)) - 1] ?? upper;
  return { upper, lower, from: beside(aroundUpper), to: beside(aroundLower) };
}

/** The end, and the states around it that lie within `outermost`. */
function withinUpTo(end: ChartNode, outermost: ChartNode, chart: ChartIndex): ChartNode[] {
  const around = [end, ...chart.ancestors(end.id)];
  return around.slice(0, around.indexOf(outermost));
}

function noWay(): never {
  throw new Error('a line without a way');
}
