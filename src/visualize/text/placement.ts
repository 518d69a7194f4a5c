/** Nested text formats need to know where to write things. */
import type { ChartIndex, ChartNode } from '../chart-model.ts';

/**
 * Gives the innermost state around both ends, whose block is where the line between them is written.
 */
export function writtenIn(from: string, to: string, chart: ChartIndex): string {
  const aroundFrom = new Set(chart.ancestors(from).map(({ id }) => id));
  return chart.ancestors(to).find(({ id }) => aroundFrom.has(id))?.id ?? '';
}

/** Gives the children's lines, with a separator between the regions of a parallel state. */
export function regions(
  node: ChartNode,
  children: readonly (readonly string[])[],
  separator: string,
): string[] {
  if (node.kind !== 'parallel') return children.flat();
  return children.flatMap((lines, at) => (at === 0 ? [...lines] : [separator, ...lines]));
}

/**
 * Gives the state that is entered first in the end, for formats that draw lines between leaves only.
 */
export function firstLeaf(node: ChartNode): ChartNode {
  const first = node.children.find(({ id }) => id === node.initial) ?? node.children[0];
  return first === undefined ? node : firstLeaf(first);
}
