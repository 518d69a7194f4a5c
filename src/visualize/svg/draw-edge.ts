/** Lines and their labels are drawn as SVG. */
import type { PlacedEdge, PlacedInitial, Point } from '../layout/geometry.ts';
import { placeSpans } from '../layout/line-label.ts';
import { element, text } from './element.ts';
import { headPath, linePath } from './line-path.ts';

export function drawLine({ line, points }: PlacedEdge): string {
  return edgeGroup(line, arrow(points));
}

/** Labels are drawn after all lines, so that none runs over them. */
export function drawLabel({ line, label }: PlacedEdge): string {
  if (label === null) return '';
  const { x, y, width, height } = label;
  const rx = Math.min(10, height / 2);
  const spans = placeSpans(line.labels).map(({ span, line: { tone }, ...at }) =>
    text(span.text, {
      class: `label ${span.kind}${span.kind === 'trigger' ? ` ${tone}` : ''}`,
      x: x + at.x,
      y: y + at.y,
    }),
  );
  return edgeGroup(line, [element('rect', { class: 'pill', x, y, width, height, rx }), ...spans]);
}

function edgeGroup(line: PlacedEdge['line'], inside: readonly string[]): string {
  const { tone, edges, source, target } = line;
  const data = { 'data-edges': edges.join(' '), 'data-from': source, 'data-to': target };
  return element('g', { class: `edge ${tone}`, ...data }, inside);
}

export function drawInitial({ dot, points }: PlacedInitial): string {
  const radius = dot.width / 2;
  const [cx, cy, r] = [dot.x + radius, dot.y + radius, radius - 0.5];
  return element('g', { class: 'start' }, [
    element('circle', { class: 'dot', cx, cy, r }),
    ...arrow(points),
  ]);
}

function arrow(points: readonly Point[]): string[] {
  return [
    element('path', { class: 'line', d: linePath(points) }),
    element('path', { class: 'head', d: headPath(points) }),
  ];
}
