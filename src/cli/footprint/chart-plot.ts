/** The plot of one panel: bytes against the limit, both axes logarithmic. */
import { roundedBytes } from '../../documents/quantity.ts';
import { type Fleet, maxVcpusOf, type VmGroup } from '../../plan/fleet/index.ts';
import { element, number, text } from '../../visualize/svg/element.ts';
import { type ChartLine, largestLimit, type Point } from './chart-lines.ts';

export const plot = { left: 82, right: 612, top: 128, bottom: 388 } as const;
const bytesShown = { least: 2 ** 4, most: 2 ** 26 } as const;
const markRow = 17;

export function drawPlot(
  lines: readonly ChartLine[],
  { groups, fleet }: { readonly groups: readonly VmGroup[]; readonly fleet: Fleet },
): string[] {
  return [
    ...byteAxis(),
    ...limitAxis(),
    ...marksOf(lines, { groups, fleet }).map(drawMark),
    ...solidFirst(lines).map(path),
    ...lines.flatMap(({ color, own }) => (own === undefined ? [] : [dot(own, `own ${color}`)])),
  ];
}

/** Where two lines lie on one another, the dashes of the upper one show both. */
function solidFirst(lines: readonly ChartLine[]): ChartLine[] {
  return lines.toSorted((one, other) => one.dash.length - other.dash.length);
}

function xOf(limit: number): number {
  return plot.left + (Math.log2(limit) / Math.log2(largestLimit)) * (plot.right - plot.left);
}

function yOf(bytes: number): number {
  const { least, most } = bytesShown;
  const part = Math.log2(Math.max(bytes, least) / least) / Math.log2(most / least);
  return plot.bottom - part * (plot.bottom - plot.top);
}

function byteAxis(): string[] {
  return [4, 8, 12, 16, 20, 24].flatMap((exponent) => {
    const y = yOf(2 ** exponent);
    return [
      element('line', { class: 'grid', x1: plot.left, x2: plot.right, y1: y, y2: y }),
      text(roundedBytes(2 ** exponent), { class: 'tick end', x: plot.left - 8, y: y + 5 }),
    ];
  });
}

function limitAxis(): string[] {
  const ticks = [1, 4, 16, 64, 256, 1024, 4096].map((limit) =>
    text(String(limit), { class: 'tick middle', x: xOf(limit), y: plot.bottom + 20 }),
  );
  const middle = { x: (plot.left + plot.right) / 2, y: plot.bottom + 42 };
  const words = 'limit: the most vCPUs that the VM may have';
  return [...ticks, text(words, { class: 'axis middle', ...middle })];
}

interface Mark {
  readonly limit: number;
  readonly words: string;
  readonly kind: 'mine' | 'kernel' | 'end';
}

/** The user's own limit, that of the kernel, and those of the modules, which end their lines. */
function marksOf(
  lines: readonly ChartLine[],
  { groups, fleet }: { readonly groups: readonly VmGroup[]; readonly fleet: Fleet },
): Mark[] {
  const ends = lines
    .filter(({ type, most }) => type === 'td' && most < largestLimit)
    .map(({ label, most }): Mark => {
      const [, module = label] = label.split(', ');
      return { limit: most, words: `${module}: ${most}`, kind: 'end' };
    });
  const [own] = groups;
  const mine = own === undefined ? 1 : maxVcpusOf(own, fleet);
  const kernel = fleet.kvmMaxVcpus;
  return [
    { limit: mine, words: `yours: ${mine}`, kind: 'mine' },
    ...ends.sort((a, b) => a.limit - b.limit),
    { limit: kernel, words: `KVM_MAX_VCPUS: ${kernel}`, kind: 'kernel' },
  ];
}

/** Each has a row of its own above the plot, because they may stand close together. */
function drawMark({ limit, words, kind }: Mark, row: number): string {
  const x = xOf(limit);
  const y = plot.top - 8 - row * markRow;
  const beside =
    limit > 64 ? { class: `words ${kind} end`, x: x - 6 } : { class: `words ${kind}`, x: x + 6 };
  return [
    element('line', { class: `mark ${kind}`, x1: x, x2: x, y1: y - 10, y2: plot.bottom }),
    text(words, { ...beside, y }),
  ].join('');
}

/** What doubles from one limit to the next does so at once. All else changes evenly. */
function path({ color, dash, points }: ChartLine): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let before = first;
  const drawn = rest.map((point) => {
    const steps = point.limit === before.limit + 1 && point.bytes >= 1.9 * before.bytes;
    const corner = steps ? `V${number(yOf(point.bytes))}` : '';
    before = point;
    return `${corner}L${place(point)}`;
  });
  const d = `M${place(first)}${drawn.join('')}`;
  const dashes = dash === '' ? {} : { 'stroke-dasharray': dash };
  return element('path', { class: `line ${color}`, d, ...dashes });
}

function dot(point: Point, className: string): string {
  return element('circle', {
    class: className,
    cx: xOf(point.limit),
    cy: yOf(point.bytes),
    r: 4.5,
  });
}

function place({ limit, bytes }: Point): string {
  return `${number(xOf(limit))} ${number(yOf(bytes))}`;
}
