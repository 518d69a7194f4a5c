/** One state is drawn as SVG, with its box, name, tags and rows. */

import { visibleXml } from '../../documents/xml.ts';
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
import { type Attributes, element, number, text } from './element.ts';

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
  return element('g', { class: classesOf(drawing), 'data-state': node.id }, [
    element('title', {}, visibleXml(tooltip(node))),
    rect('box', { x, y, width, height, radius }),
    node.kind === 'final' ? innerBorder({ x, y, width, height, radius }) : '',
    node.children.length === 0 ? drawContent(drawing.content, { x, y, width, isLeaf: true }) : '',
  ]);
}

/** The text of a state with states in it is drawn over the lines that cross it on their way in. */
export function drawHeading({ node, placed, content }: NodeDrawing): string {
  if (node.children.length === 0) return '';
  const classes = placed.depth > 1 ? 'heading deep' : 'heading';
  const inside = drawContent(content, { ...placed, isLeaf: false });
  return element('g', { class: classes, 'data-heading': node.id }, inside);
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

/** Draws name and tags in one line, a rule, then the rows. */
export function drawContent(
  { name, tags, rows }: NodeContent,
  { x, y, width, isLeaf }: Point & { readonly width: number; readonly isLeaf: boolean },
): string {
  const left = x + sizes.padX;
  const right = x + width - sizes.padX;
  const top = y + sizes.padY;
  return [
    isLeaf && tags.length + rows.length === 0
      ? text(name, { class: 'name', x: x + width / 2, y: top + 15, 'text-anchor': 'middle' })
      : text(name, { class: 'name', x: left, y: top + 15 }),
    drawTags(tags, { right, y: top + 2 }),
    drawRows(rows, { left, right, y: top + sizes.header, alignChips: isLeaf }),
  ].join('');
}

function drawTags(tags: readonly Tag[], { right, y }: { right: number; y: number }): string {
  let x = right - tags.reduce((sum, { width }) => sum + width + sizes.tagGap, -sizes.tagGap);
  return tags
    .map((tag) => {
      const drawn = badge(tag.text, { x, y, width: tag.width }, { class: 'tag' });
      x += tag.width + sizes.tagGap;
      return drawn;
    })
    .join('');
}

interface RowPlace {
  readonly left: number;
  readonly right: number;
  readonly y: number;
  /** True when the chips stand at the right edge. A wide box has them next to their text. */
  readonly alignChips: boolean;
}

export function drawRows(rows: readonly Row[], { left, right, y, alignChips }: RowPlace): string {
  if (rows.length === 0) return '';
  const ruleY = y + 4;
  const d = `M${number(left)} ${number(ruleY)}H${number(right)}`;
  const first = y + sizes.ruleGap;
  return [
    element('path', { class: 'rule', d }),
    ...rows.map((row, at) => drawRow(row, { left, right, y: first + at * sizes.row, alignChips })),
  ].join('');
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
    return badge(chip.text, at, { class: `chip ${chip.tone}`, 'data-edges': chip.edge });
  });
  return [
    text(keyword, { class: 'row keyword', x: left, y: y + 13 }),
    text(words, { class: 'row', x: left + keywordWidth(keyword), y: y + 13 }),
    ...drawnChips,
  ].join('');
}

export function badge(
  words: string,
  { x, y, width }: Point & { readonly width: number },
  attributes: Attributes,
): string {
  const height = 16;
  // The text is centred, so that a fall-back font of another width stays in the middle.
  const middle = { x: x + width / 2, y: y + 11.5, 'text-anchor': 'middle' };
  return element('g', attributes, [
    rect(undefined, { x, y, width, height, radius: 8 }),
    text(words, middle),
  ]);
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

function rect(className: string | undefined, { radius, ...box }: RoundedBox): string {
  return element('rect', { class: className, ...box, rx: radius });
}

function tooltip({ key, description, step }: ChartNode): string {
  const parts = [description === null ? key : `${key}: ${description}`];
  if (step !== null && step.requests.length > 0) parts.push(step.requests.join(', '));
  return parts.join(' ');
}
