/** The chart of `tdctl footprint --chart`: bytes of a VM against its limit, both axes logarithmic. */

import { roundedBytes } from '../../documents/quantity.ts';
import type { Fleet, VmGroup } from '../../plan/fleet/index.ts';
import { element, number, text } from '../../visualize/svg/element.ts';
import { dark, light, type Palette } from '../../visualize/svg/palette.ts';
import { count } from '../output/units.ts';
import { type ChartLine, chartLines, largestLimit } from './chart-lines.ts';

const size = { width: 980, panel: 380, head: 64, foot: 30 } as const;
const plot = { left: 84, right: 640, top: 44, bottom: 320 } as const;
const bytesShown = { least: 2 ** 4, most: 2 ** 28 } as const;

const title = 'Memory of one VM against its limit of vCPUs';
const about = 'Figures as in docs/footprint.md; those of list, RCU and xarray are estimates';

/** A vertical line marks these limits, which are max_vcpus_per_td of the TDX module. */
const moduleLimits = [
  { limit: 576, label: 'module 1.5: 576' },
  { limit: 1376, label: '2.0: 1376' },
] as const;

/** The smallest and the largest VM of the fleet have a panel each. */
export function chartSvg(fleet: Fleet): string {
  const groups = extremes(fleet.groups);
  const height = size.head + groups.length * size.panel + size.foot;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${size.width} ${height}`,
    width: size.width,
    height,
    role: 'img',
    'aria-labelledby': 'title',
  };
  const parts = [
    '',
    element('style', {}, styleSheet),
    element('rect', { class: 'canvas', width: '100%', height: '100%' }),
    text(title, { id: 'title', class: 'title', x: 28, y: 34 }),
    text(about, { class: 'about', x: 28, y: 54 }),
    ...groups.map((group, index) => panel(group, size.head + index * size.panel)),
    '',
  ];
  return `${element('svg', attributes, parts.join('\n'))}\n`;
}

function extremes(groups: readonly VmGroup[]): VmGroup[] {
  const sorted = groups.toSorted((a, b) => a.vcpus - b.vcpus);
  const [smallest, largest] = [sorted[0], sorted.at(-1)];
  if (!smallest || !largest) return [];
  return smallest.vcpus === largest.vcpus ? [smallest] : [smallest, largest];
}

function panel(group: VmGroup, y: number): string {
  const lines = chartLines(group);
  const parts = [
    '',
    text(`A VM with ${count(group.vcpus, 'vCPU')}`, { class: 'name', x: 28, y: 22 }),
    ...byteAxis(),
    ...limitAxis(),
    ...moduleLimits.map(moduleMark),
    ...lines.map(path),
    ...endLabels(lines),
    '',
  ];
  return element('g', { transform: `translate(0 ${y})` }, parts.join('\n'));
}

function xOf(limit: number): number {
  return plot.left + (Math.log2(limit) / Math.log2(largestLimit)) * (plot.right - plot.left);
}

function yOf(bytes: number): number {
  const { least, most } = bytesShown;
  const part = Math.log2(bytes / least) / Math.log2(most / least);
  return plot.bottom - part * (plot.bottom - plot.top);
}

function byteAxis(): string[] {
  return [4, 8, 12, 16, 20, 24, 28].flatMap((exponent) => {
    const y = yOf(2 ** exponent);
    return [
      element('line', { class: 'grid', x1: plot.left, x2: plot.right, y1: y, y2: y }),
      text(roundedBytes(2 ** exponent), { class: 'tick end', x: plot.left - 8, y: y + 4 }),
    ];
  });
}

function limitAxis(): string[] {
  const ticks = [1, 4, 16, 64, 256, 1024, 4096].map((limit) =>
    text(String(limit), { class: 'tick middle', x: xOf(limit), y: plot.bottom + 18 }),
  );
  const middle = { x: (plot.left + plot.right) / 2, y: plot.bottom + 38 };
  const words = 'limit: the most vCPUs that the VM may have';
  return [...ticks, text(words, { class: 'axis middle', ...middle })];
}

/** The labels stand to the left and to the right, because the two marks are close together. */
function moduleMark({ limit, label }: (typeof moduleLimits)[number], row: number): string {
  const x = xOf(limit);
  const beside = row === 0 ? { class: 'tick end', x: x - 5 } : { class: 'tick', x: x + 5 };
  return [
    element('line', { class: 'mark', x1: x, x2: x, y1: plot.top, y2: plot.bottom }),
    text(label, { ...beside, y: plot.top - 6 }),
  ].join('');
}

function path({ tone, points }: ChartLine): string {
  const places = points.map(({ limit, bytes }) => `${number(xOf(limit))} ${number(yOf(bytes))}`);
  return element('path', { class: `line ${tone}`, d: `M${places.join(' L')}` });
}

const LABEL_HEIGHT = 17;

/** A label stands beside the end of its line, or lower where that is too close to the one above. */
function endLabels(lines: readonly ChartLine[]): string[] {
  let free = plot.top - LABEL_HEIGHT;
  return lines
    .map((line) => ({ line, end: yOf(line.points.at(-1)?.bytes ?? bytesShown.least) }))
    .toSorted((a, b) => a.end - b.end)
    .map(({ line, end }) => {
      const y = Math.max(end, free + LABEL_HEIGHT);
      free = y;
      const bytes = roundedBytes(line.points.at(-1)?.bytes ?? 0);
      const lead = `M${plot.right + 2} ${number(end)} L${plot.right + 16} ${number(y)}`;
      return [
        element('path', { class: `lead ${line.tone}`, d: lead }),
        text(`${line.label}: ${bytes}`, {
          class: `label ${line.tone}`,
          x: plot.right + 20,
          y: y + 4,
        }),
      ].join('');
    });
}

const tones = { array: 'event', table: 'timer', td: 'always' } as const;

function rulesFor(palette: Palette): string {
  const { canvas, ink, muted, rule } = palette;
  const ofTones = Object.entries(tones).map(([tone, name]) => {
    const color = palette[name];
    return `.line.${tone},.lead.${tone}{stroke:${color}}.label.${tone}{fill:${color}}`;
  });
  return `.canvas{fill:${canvas}}text{fill:${ink}}.about,.tick,.axis{fill:${muted}}.grid{stroke:${rule}}.mark{stroke:${muted}}${ofTones.join('')}`;
}

/** The colours follow the reader's own setting; a renderer that knows none shows the light ones. */
const styleSheet = [
  'text{font-family:"DejaVu Sans",Verdana,sans-serif;font-size:12px}',
  '.title{font-size:18px;font-weight:bold}.name{font-size:14px;font-weight:bold}',
  '.end{text-anchor:end}.middle{text-anchor:middle}',
  '.grid{stroke-width:1}.mark{stroke-width:1;stroke-dasharray:3 4}',
  '.line{fill:none;stroke-width:2}.lead{fill:none;stroke-width:0.8}',
  rulesFor(light),
  `@media (prefers-color-scheme:dark){${rulesFor(dark)}}`,
].join('');
