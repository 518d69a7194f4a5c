/** The chart of `tdctl footprint --chart`: bytes of a VM against its limit, both axes logarithmic. */

import { roundedBytes } from '../../documents/quantity.ts';
import type { Fleet, VmGroup } from '../../plan/fleet/index.ts';
import { type ChartLine, chartLines, largestLimit } from './chart-lines.ts';

const size = { width: 980, panel: 380, head: 64, foot: 30 } as const;
const plot = { left: 84, right: 640, top: 44, bottom: 320 } as const;
const bytesShown = { least: 2 ** 4, most: 2 ** 28 } as const;

/** Limits that a vertical line marks: max_vcpus_per_td of the TDX module. */
const moduleLimits = [
  { limit: 576, label: 'module 1.5: 576' },
  { limit: 1376, label: '2.0: 1376' },
] as const;

/** The smallest and the largest VM of the fleet, a panel each. */
export function chartSvg(fleet: Fleet): string {
  const groups = extremes(fleet.groups);
  const height = size.head + groups.length * size.panel + size.foot;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" aria-labelledby="title">`,
    `<style>${styleSheet}</style>`,
    `<rect class="canvas" width="100%" height="100%"/>`,
    `<text id="title" class="title" x="28" y="34">Memory of one VM against its limit of vCPUs</text>`,
    `<text class="about" x="28" y="54">Figures as in docs/footprint.md; those of list, RCU and xarray are estimates</text>`,
    ...groups.map((group, index) => panel(group, size.head + index * size.panel)),
    '</svg>\n',
  ].join('\n');
}

function extremes(groups: readonly VmGroup[]): VmGroup[] {
  const sorted = groups.toSorted((a, b) => a.vcpus - b.vcpus);
  const [smallest, largest] = [sorted[0], sorted.at(-1)];
  if (!smallest || !largest) return [];
  return smallest.vcpus === largest.vcpus ? [smallest] : [smallest, largest];
}

function panel(group: VmGroup, y: number): string {
  const lines = chartLines(group);
  return [
    `<g transform="translate(0 ${y})">`,
    `<text class="name" x="28" y="22">A VM with ${group.vcpus === 1 ? '1 vCPU' : `${group.vcpus} vCPUs`}</text>`,
    ...byteAxis(),
    ...limitAxis(),
    ...moduleLimits.map(moduleMark),
    ...lines.map(path),
    ...endLabels(lines),
    '</g>',
  ].join('\n');
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
    const y = round(yOf(2 ** exponent));
    return [
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/>`,
      `<text class="tick end" x="${plot.left - 8}" y="${y + 4}">${roundedBytes(2 ** exponent)}</text>`,
    ];
  });
}

function limitAxis(): string[] {
  const ticks = [1, 4, 16, 64, 256, 1024, 4096].map((limit) => {
    return `<text class="tick middle" x="${round(xOf(limit))}" y="${plot.bottom + 18}">${limit}</text>`;
  });
  const middle = (plot.left + plot.right) / 2;
  return [
    ...ticks,
    `<text class="axis middle" x="${middle}" y="${plot.bottom + 38}">limit: the most vCPUs that the VM may have</text>`,
  ];
}

/** Two rows, because the two stand close together. */
function moduleMark({ limit, label }: (typeof moduleLimits)[number], row: number): string {
  const x = round(xOf(limit));
  const isFirst = row === 0;
  return [
    `<line class="mark" x1="${x}" x2="${x}" y1="${plot.top}" y2="${plot.bottom}"/>`,
    `<text class="tick${isFirst ? ' end' : ''}" x="${isFirst ? x - 5 : x + 5}" y="${plot.top - 6}">${label}</text>`,
  ].join('');
}

function path({ tone, points }: ChartLine): string {
  const places = points.map(({ limit, bytes }) => `${round(xOf(limit))} ${round(yOf(bytes))}`);
  return `<path class="line ${tone}" d="M${places.join(' L')}"/>`;
}

const LABEL_HEIGHT = 17;

/** Beside the end of each line, pushed apart from the top where ends are closer than a line of text. */
function endLabels(lines: readonly ChartLine[]): string[] {
  let free = plot.top - LABEL_HEIGHT;
  return lines
    .map((line) => ({ line, end: yOf(line.points.at(-1)?.bytes ?? bytesShown.least) }))
    .toSorted((a, b) => a.end - b.end)
    .map(({ line, end }) => {
      const y = round(Math.max(end, free + LABEL_HEIGHT));
      free = y;
      const bytes = roundedBytes(line.points.at(-1)?.bytes ?? 0);
      return [
        `<path class="lead ${line.tone}" d="M${plot.right + 2} ${round(end)} L${plot.right + 16} ${y}"/>`,
        `<text class="label ${line.tone}" x="${plot.right + 20}" y="${y + 4}">${line.label.replace('>', '&gt;')}: ${bytes}</text>`,
      ].join('');
    });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const colors = {
  light: {
    canvas: '#ffffff',
    ink: '#0f172a',
    muted: '#5b6b82',
    grid: '#e2e8f0',
    array: '#2459d3',
    table: '#9a5b07',
    td: '#7a3cc2',
  },
  dark: {
    canvas: '#0f141d',
    ink: '#e6ebf3',
    muted: '#93a1b5',
    grid: '#263143',
    array: '#7fa8ff',
    table: '#f0b45c',
    td: '#c9a2ff',
  },
} as const;

function rulesFor(palette: Readonly<Record<keyof (typeof colors)['light'], string>>): string {
  const { canvas, ink, muted, grid } = palette;
  const tones = (['array', 'table', 'td'] as const).map(
    (tone) =>
      `.line.${tone},.lead.${tone}{stroke:${palette[tone]}}.label.${tone}{fill:${palette[tone]}}`,
  );
  return `.canvas{fill:${canvas}}text{fill:${ink}}.about,.tick,.axis{fill:${muted}}.grid{stroke:${grid}}.mark{stroke:${muted}}${tones.join('')}`;
}

/** Follows the reader's own setting; a renderer that knows none shows the light one. */
const styleSheet = [
  'text{font-family:"DejaVu Sans",Verdana,sans-serif;font-size:12px}',
  '.title{font-size:18px;font-weight:bold}.name{font-size:14px;font-weight:bold}',
  '.end{text-anchor:end}.middle{text-anchor:middle}',
  '.grid{stroke-width:1}.mark{stroke-width:1;stroke-dasharray:3 4}',
  '.line{fill:none;stroke-width:2}.lead{fill:none;stroke-width:0.8}',
  rulesFor(colors.light),
  `@media (prefers-color-scheme:dark){${rulesFor(colors.dark)}}`,
].join('');
