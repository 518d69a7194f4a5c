/** The chart of `tdctl footprint --chart`: bytes of a VM against its limit, and the user's own VMs in it. */

import { roundedBytes } from '../../documents/quantity.ts';
import type { Fleet } from '../../plan/fleet/index.ts';
import { element, text } from '../../visualize/svg/element.ts';
import { dark, light, type Palette } from '../../visualize/svg/palette.ts';
import { type ChartLine, chartLines } from './chart-lines.ts';
import { type ChartPanel, chartPanels } from './chart-panels.ts';
import { drawPlot, plot } from './chart-plot.ts';

const size = { width: 640, head: 68, key: plot.bottom + 76, keyRow: 21, foot: 12 } as const;
/** Where the columns of the key end; the first begins at the left. */
const columns = { left: 24, label: 70, each: 490, all: 612 } as const;

const title = 'Memory of one VM against its limit of vCPUs';
const about = 'As in docs/footprint.md; list, RCU and xarray are estimates';

export function chartSvg(fleet: Fleet): string {
  const panels = chartPanels(fleet).map((panel) => ({
    panel,
    lines: chartLines(panel.groups, fleet),
  }));
  const heights = panels.map(({ lines }) => size.key + (lines.length + 1) * size.keyRow);
  const height = size.head + heights.reduce((sum, each) => sum + each, 0) + size.foot;
  let y: number = size.head;
  const drawn = panels.map(({ panel, lines }, index) => {
    const at = y;
    y += heights[index] ?? 0;
    return drawPanel(panel, { lines, fleet, y: at });
  });
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
    text(title, { id: 'title', class: 'title', x: columns.left, y: 34 }),
    text(about, { class: 'about', x: columns.left, y: 58 }),
    ...drawn,
    '',
  ];
  return `${element('svg', attributes, parts.join('\n'))}\n`;
}

function drawPanel(
  { name, about: ofGroup, groups }: ChartPanel,
  {
    lines,
    fleet,
    y,
  }: { readonly lines: readonly ChartLine[]; readonly fleet: Fleet; readonly y: number },
): string {
  const parts = [
    '',
    text(name ?? ofGroup, { class: 'name', x: columns.left, y: 22 }) +
      (name === undefined ? '' : text(ofGroup, { x: columns.left, y: 43 })),
    ...drawPlot(lines, { groups, fleet }),
    ...drawKey(lines, groups[0]?.count ?? 1),
    '',
  ];
  return element('g', { transform: `translate(0 ${y})` }, parts.join('\n'));
}

/** The key has each line as it is drawn, with what the user's own VMs take. */
function drawKey(lines: readonly ChartLine[], count: number): string[] {
  const isMany = count > 1;
  const row = (at: number) => size.key + at * size.keyRow;
  const head = { class: 'tick end', y: row(0) };
  return [
    text(isMany ? 'each' : 'yours', { ...head, x: isMany ? columns.each : columns.all }),
    isMany ? text(`all ${count}`, { ...head, x: columns.all }) : '',
    ...lines.map(({ label, color, dash, own, points }, index) => {
      const y = row(index + 1);
      const dashes = dash === '' ? {} : { 'stroke-dasharray': dash };
      const sample = {
        class: `line ${color}`,
        d: `M${columns.left} ${y - 5}H${columns.label - 10}`,
      };
      const each = own === undefined ? '–' : roundedBytes(own.bytes);
      const all = own === undefined ? '–' : roundedBytes(own.fleetBytes);
      const ended = points.length === 0 ? ': too many vCPUs' : '';
      return [
        element('path', { ...sample, ...dashes }),
        text(`${label}${ended}`, { x: columns.label, y }),
        text(each, { class: 'end', x: isMany ? columns.each : columns.all, y }),
        isMany ? text(all, { class: 'end', x: columns.all, y }) : '',
      ].join('');
    }),
  ];
}

function rulesFor(palette: Palette): string {
  const { canvas, ink, muted, rule } = palette;
  const used = ['error', 'always', 'timer', 'apart', 'event', 'active', 'ink', 'done'] as const;
  const ofLines = used.map(
    (name) => `.line.${name}{stroke:${palette[name]}}.own.${name}{fill:${palette[name]}}`,
  );
  return [
    `.canvas{fill:${canvas}}text{fill:${ink}}.about,.tick,.axis,text.kernel{fill:${muted}}`,
    `.grid{stroke:${rule}}.mark{stroke:${muted}}.mark.mine{stroke:${ink}}.own,.words{stroke:${canvas}}`,
    ...ofLines,
  ].join('');
}

/** The colours follow the reader's own setting; a renderer that knows none shows the light ones. */
const styleSheet = [
  ':root{color-scheme:light dark}svg{max-width:100%;height:auto}',
  'text{font-family:"DejaVu Sans",Verdana,sans-serif;font-size:13.5px}',
  '.title{font-size:18px;font-weight:bold}.name{font-size:15px;font-weight:bold}',
  '.end{text-anchor:end}.middle{text-anchor:middle}text.mine{font-weight:bold}',
  '.words{paint-order:stroke;stroke-width:4}.grid{stroke-width:1}.mark{stroke-width:1;stroke-dasharray:3 4}',
  '.mark.mine{stroke-width:1.6;stroke-dasharray:none}',
  '.line{fill:none;stroke-width:2.2}.own{stroke-width:1.2}',
  rulesFor(light),
  `@media (prefers-color-scheme:dark){${rulesFor(dark)}}`,
].join('');
