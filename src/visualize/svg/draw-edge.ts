/** Lines and their labels as SVG. */
import type { PlacedEdge, PlacedInitial } from '../layout/geometry.ts';
import { placeSpans } from '../layout/line-label.ts';
import { escapeXml, visibleXml } from '../xml.ts';
import { text } from './draw-node.ts';
import { headPath, linePath, number } from './line-path.ts';

export function drawLine({ line, points }: PlacedEdge): string {
  return edgeGroup(
    line,
    `<path class="line" d="${linePath(points)}"/><path class="head" d="${headPath(points)}"/>`,
  );
}

/** Labels are drawn after all lines, so that none runs over them. */
export function drawLabel({ line, label }: PlacedEdge): string {
  if (label === null) return '';
  const { x, y, width, height } = label;
  const pill = `<rect class="pill" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" rx="${number(Math.min(10, height / 2))}"/>`;
  const spans = placeSpans(line.labels).map(({ span, line: { tone }, ...at }) =>
    text(
      `label ${span.kind}${span.kind === 'trigger' ? ` ${tone}` : ''}`,
      { x: x + at.x, y: y + at.y },
      visibleXml(span.text),
    ),
  );
  return edgeGroup(line, pill + spans.join(''));
}

function edgeGroup({ tone, edges, source, target }: PlacedEdge['line'], inner: string): string {
  return `<g class="edge ${tone}" data-edges="${edges.join(' ')}" data-from="${escapeXml(source)}" data-to="${escapeXml(target)}">${inner}</g>`;
}

export function drawInitial({ dot, points }: PlacedInitial): string {
  const radius = dot.width / 2;
  const circle = `<circle class="dot" cx="${number(dot.x + radius)}" cy="${number(dot.y + radius)}" r="${number(radius - 0.5)}"/>`;
  return `<g class="start">${circle}<path class="line" d="${linePath(points)}"/><path class="head" d="${headPath(points)}"/></g>`;
}
