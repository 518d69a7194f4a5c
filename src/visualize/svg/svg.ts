/** A placed chart becomes one SVG file that loads nothing else. */

import { escapeXml, visibleXml } from '../../documents/xml.ts';
import { sanitize } from '../../errors/sanitize.ts';
import type { LaidOutChart } from '../layout/layout.ts';
import { textWidth } from '../layout/measure.ts';
import { sizes } from '../layout/node-content.ts';
import { borderTagOf, legendOf } from '../legend.ts';
import { drawBorder } from './draw-border.ts';
import { drawInitial, drawLabel, drawLine } from './draw-edge.ts';
import { drawLegend } from './draw-legend.ts';
import { drawHeading, drawNode, drawRows, type NodeDrawing } from './draw-node.ts';
import { element, text } from './element.ts';
import type { Theme } from './palette.ts';
import { styleSheet } from './style.ts';

const margin = 28;

export interface SvgOptions {
  readonly theme: Theme;
  /** Ids of states to light up, with the states around them. */
  readonly active?: readonly string[];
  /**
   * Set for a page that has the style sheet itself and shows several charts: no style and no ids are
   * written.
   */
  readonly embedded?: boolean;
}

export function chartSvg(
  laidOut: LaidOutChart,
  { theme, active = [], embedded }: SvgOptions,
): string {
  const { layout, model } = laidOut;
  const drawings = stateDrawings(laidOut, active);
  const width = Math.ceil(Math.max(layout.width, headerWidth(laidOut)));
  const chartHeight = Math.ceil(layout.height);
  const legend = embedded
    ? undefined
    : drawLegend(legendOf(model), { left: margin, right: width - margin, y: chartHeight });
  const height = chartHeight + (legend?.height ?? 0);
  const border = borderTagOf(model);
  const name = sanitize(`Statechart ${model.id}, version ${model.version}`);
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: 'chart',
    role: 'img',
    ...(embedded ? { 'aria-label': name } : { 'aria-labelledby': 'chart-title chart-about' }),
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
  };
  const parts = [
    '',
    ...(embedded ? [] : aboutItself(laidOut, { name, theme })),
    element('rect', { class: 'canvas', width, height, rx: 12 }),
    drawHeader(laidOut, width),
    ...drawings.map(drawNode),
    ...layout.initials.map(drawInitial),
    ...layout.edges.map(drawLine),
    ...drawings
      .filter(({ node }) => border !== undefined && node.tags.includes(border))
      .map(({ placed }) => drawBorder(placed, layout.edges)),
    ...drawings.map(drawHeading).filter((heading) => heading !== ''),
    ...layout.edges.map(drawLabel).filter((label) => label !== ''),
    ...(legend === undefined ? [] : [legend.drawn]),
    '',
  ];
  return `${element('svg', attributes, parts.join('\n'))}\n`;
}

function aboutItself(
  laidOut: LaidOutChart,
  { name, theme }: { readonly name: string; readonly theme: Theme },
): string[] {
  const about = `${laidOut.model.root.description ?? ''} ${statistics(laidOut)}`.trim();
  return [
    element('title', { id: 'chart-title' }, escapeXml(name)),
    element('desc', { id: 'chart-about' }, visibleXml(about)),
    element('style', {}, styleSheet(theme)),
  ];
}

function stateDrawings(
  { chart, layout, content }: LaidOutChart,
  active: readonly string[],
): NodeDrawing[] {
  const lit = new Set(active.flatMap((id) => [id, ...chart.ancestors(id).map((node) => node.id)]));
  return layout.nodes.map((placed) => ({
    node: chart.node(placed.id),
    placed,
    content: content(placed.id),
    isActive: lit.has(placed.id),
    isRegion: chart.parent(placed.id)?.kind === 'parallel',
  }));
}

function drawHeader({ model, content }: LaidOutChart, width: number): string {
  const about = [model.root.description, `Version ${model.version}.`].filter(
    (part) => part !== null,
  );
  return [
    text(model.id, { class: 'machine', x: margin, y: 42 }),
    text(about.join(' '), { class: 'about', x: margin, y: 64 }),
    drawRows(content('').rows, { left: margin, right: width - margin, y: 70, alignChips: false }),
  ].join('');
}

function headerWidth({ model, content }: LaidOutChart): number {
  const about = `${model.root.description ?? ''} Version ${model.version}.`;
  return (
    2 * margin +
    Math.max(
      textWidth(model.id, { size: 21, weight: 'bold' }),
      textWidth(about, { size: 13, weight: 'regular' }),
      content('').rows.length > 0 ? content('').width - 2 * sizes.padX : 0,
    )
  );
}

function statistics({ chart, model }: LaidOutChart): string {
  const states = chart.nodes.length - 1;
  return `${states} states, ${model.edges.length} transitions.`;
}
