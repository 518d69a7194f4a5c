/** One state as SVG: box, name, tags, rows. */
import type { ChartNode } from '../chart-model.ts';
import type { PlacedNode, Point } from '../layout/geometry.ts';
import { textWidth } from '../layout/measure.ts';
import {
  fonts,
  keywordWidth,
  type NodeContent,
  type Row,
  sizes,
  type Tag,
} from '../layout/node-content.ts';
import { escapeXml, visibleXml } from '../xml.ts';
import { number } from './line-path.ts';

export interface NodeDrawing {
  readonly node: ChartNode;
  readonly placed: PlacedNode;
  readonly content: NodeContent;
  readonly isRegion: boolean;
  readonly isActive: boolean;
}

export function drawNode(drawing: NodeDrawing): string {
  const { node, placed } = drawing;
  const { x, y, width, height } = placed;
  const radius = node.kind === 'final' || node.kind === 'history' ? 16 : 9;
  return [
    `<g class="${classesOf(drawing)}" data-state="${escapeXml(node.id)}">`,
    `<title>${visibleXml(tooltip(node))}</title>`,
    rect('box', { x, y, width, height, radius }),
    node.kind === 'final' ? innerBorder({ x, y, width, height, radius }) : '',
    node.children.length === 0 ? drawContent(drawing.content, { x, y, width, isLeaf: true }) : '',
    '</g>',
  ].join('');
}

/** The text of a state with states in it: drawn over the lines that cross it on their way in. */
export function drawHeading({ node, placed, content }: NodeDrawing): string {
  if (node.children.length === 0) return '';
  const text = drawContent(content, { ...placed, isLeaf: false });
  return `<g class="heading${placed.depth > 1 ? ' deep' : ''}" data-heading="${escapeXml(node.id)}">${text}</g>`;
}

function classesOf({ node, placed, isRegion, isActive }: NodeDrawing): string {
  return [
    'state',
    node.kind,
    ...(isRegion ? ['region'] : []),
    ...(isActive ? ['active'] : []),
    ...(placed.depth > 1 && node.children.length > 0 ? ['deep'] : []),
  ].join(' ');
}

/** Name and tags in one line, a rule, then the rows. */
export function drawContent(
  { name, tags, rows }: NodeContent,
  { x, y, width, isLeaf }: Point & { readonly width: number; readonly isLeaf: boolean },
): string {
  const left = x + sizes.padX;
  const right = x + width - sizes.padX;
  const top = y + sizes.padY;
  return [
    isLeaf && tags.length + rows.length === 0
      ? text('name', { x: x + width / 2, y: top + 15 }, visibleXml(name), ' text-anchor="middle"')
      : text('name', { x: left, y: top + 15 }, visibleXml(name)),
    drawTags(tags, { right, y: top + 2 }),
    drawRows(rows, { left, right, y: top + sizes.header, alignChips: isLeaf }),
  ].join('');
}

function drawTags(tags: readonly Tag[], { right, y }: { right: number; y: number }): string {
  let x = right - tags.reduce((sum, { width }) => sum + width + sizes.tagGap, -sizes.tagGap);
  return tags
    .map((tag) => {
      const drawn = badge('tag', { x, y, width: tag.width }, tag.text);
      x += tag.width + sizes.tagGap;
      return drawn;
    })
    .join('');
}

interface RowPlace {
  readonly left: number;
  readonly right: number;
  readonly y: number;
  /** At the right edge; a wide box has them next to their text. */
  readonly alignChips: boolean;
}

export function drawRows(rows: readonly Row[], { left, right, y, alignChips }: RowPlace): string {
  if (rows.length === 0) return '';
  const ruleY = y + 4;
  const rule = `<path class="rule" d="M${number(left)} ${number(ruleY)}H${number(right)}"/>`;
  const first = y + sizes.ruleGap;
  return (
    rule +
    rows
      .map((row, at) => drawRow(row, { left, right, y: first + at * sizes.row, alignChips }))
      .join('')
  );
}

function drawRow(
  { keyword, text: words, chips }: Row,
  { left, right, y, alignChips }: RowPlace,
): string {
  const chipsWidth = chips.reduce((sum, { width }) => sum + width + sizes.tagGap, -sizes.tagGap);
  const textEnd = left + keywordWidth(keyword) + textWidth(words, fonts.row);
  let x = alignChips ? right - chipsWidth : textEnd + sizes.gap;
  const drawnChips = chips.map((chip) => {
    const at = { x, y: y + 1, width: chip.width };
    x += chip.width + sizes.tagGap;
    return badge(`chip ${chip.tone}`, at, chip.text, ` data-edges="${chip.edge}"`);
  });
  return [
    text('row keyword', { x: left, y: y + 13 }, keyword),
    text('row', { x: left + keywordWidth(keyword), y: y + 13 }, visibleXml(words)),
    ...drawnChips,
  ].join('');
}

function badge(
  classes: string,
  { x, y, width }: Point & { readonly width: number },
  words: string,
  attributes = '',
): string {
  const height = 16;
  // Centred, so that a fall-back font of another width stays in the middle.
  const middle = { x: x + width / 2, y: y + 11.5 };
  return [
    `<g class="${classes}"${attributes}>`,
    rect('', { x, y, width, height, radius: 8 }),
    text('', middle, visibleXml(words), ' text-anchor="middle"'),
    '</g>',
  ].join('');
}

function innerBorder(box: RoundedBox): string {
  const { x, y, width, height, radius } = box;
  const inset = 3.5;
  return rect('inner', {
    x: x + inset,
    y: y + inset,
    width: width - 2 * inset,
    height: height - 2 * inset,
    radius: radius - inset,
  });
}

interface RoundedBox extends Point {
  readonly width: number;
  readonly height: number;
  readonly radius: number;
}

function rect(className: string, { x, y, width, height, radius }: RoundedBox): string {
  const classes = className === '' ? '' : `class="${className}" `;
  return `<rect ${classes}x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" rx="${number(radius)}"/>`;
}

export function text(className: string, { x, y }: Point, xml: string, attributes = ''): string {
  const classes = className === '' ? '' : `class="${className}" `;
  return `<text ${classes}x="${number(x)}" y="${number(y)}"${attributes}>${xml}</text>`;
}

function tooltip({ key, description, step }: ChartNode): string {
  const parts = [description === null ? key : `${key}: ${description}`];
  if (step !== null && step.requests.length > 0) parts.push(step.requests.join(', '));
  return parts.join(' ');
}
