/** A border that is crossed once is drawn over the side of its state where the way leads in. */
import type { PlacedEdge, PlacedNode } from '../layout/geometry.ts';
import { element, number } from './element.ts';

/** It reaches so far beyond the box on both sides. */
const overhang = 16;

export function drawBorder(
  { id, x, y, width, height }: PlacedNode,
  edges: readonly PlacedEdge[],
): string {
  const end = edges.find(({ line }) => line.target === id)?.points.at(-1);
  const isAbove = end === undefined || Math.abs(end.y - y) < 1;
  const d = isAbove
    ? `M${number(x - overhang)} ${number(y)}H${number(x + width + overhang)}`
    : `M${number(x)} ${number(y - overhang)}V${number(y + height + overhang)}`;
  return element('path', { class: 'border', d });
}
