/** The content is what stands in the box of a state, row by row, with the room that it takes. */
import { sanitize } from '../../errors/sanitize.ts';
import type { ChartEdge, ChartIndex, ChartNode } from '../chart-model.ts';
import { edgeLabel } from '../labels.ts';
import { toneOf } from './edge-lines.ts';
import type { EdgeTone } from './geometry.ts';
import { type Font, fitText, textWidth } from './measure.ts';

export const fonts = {
  name: { size: 14, weight: 'bold' },
  tag: { size: 10, weight: 'regular' },
  row: { size: 11.5, weight: 'regular' },
  label: { size: 11.5, weight: 'regular' },
  trigger: { size: 11.5, weight: 'bold' },
} as const satisfies Record<string, Font>;

export const sizes = {
  padX: 14,
  padY: 9,
  header: 20,
  row: 18,
  /** Gap from the header to the rows, with the rule between them included. */
  ruleGap: 9,
  tagPad: 6,
  tagGap: 5,
  gap: 14,
  chipPad: 7,
  minWidth: 96,
  /** A name longer than this is cut short; the tooltip has all of it. */
  maxText: 420,
} as const;

export interface NodeContent {
  readonly name: string;
  readonly tags: readonly Tag[];
  readonly rows: readonly Row[];
  /** Width of all of it, padding included. */
  readonly width: number;
  readonly height: number;
}

export interface Tag {
  readonly text: string;
  readonly width: number;
}

export interface Row {
  /** `entry`, `exit`, `invoke`, `on`: written small before the text. */
  readonly keyword: string;
  readonly text: string;
  readonly chips: readonly Chip[];
}

/** A chip is a transition told in the box, and shows where it leads. */
export interface Chip {
  readonly text: string;
  readonly tone: EdgeTone;
  readonly edge: string;
  readonly width: number;
}

export function nodeContent(
  node: ChartNode,
  { chart, stubs }: { chart: ChartIndex; stubs: readonly ChartEdge[] },
): NodeContent {
  const name = shortened(node.key, fonts.name);
  const history = node.history === null ? [] : [node.history === 'deep' ? 'H*' : 'H'];
  const tags = [...history, ...node.tags].map((tag) => {
    const text = shortened(tag, fonts.tag);
    return { text, width: textWidth(text, fonts.tag) + 2 * sizes.tagPad };
  });
  const rows = rowsOf(node, { chart, stubs });
  const headerWidth =
    textWidth(name, fonts.name) +
    (tags.length > 0 ? sizes.gap - sizes.tagGap : 0) +
    sum(tags.map(({ width }) => width + sizes.tagGap));
  return {
    name,
    tags,
    rows,
    width: Math.max(sizes.minWidth, headerWidth, ...rows.map(rowWidth)) + 2 * sizes.padX,
    height:
      2 * sizes.padY +
      sizes.header +
      (rows.length > 0 ? sizes.ruleGap + rows.length * sizes.row : 0),
  };
}

function rowsOf(
  node: ChartNode,
  { chart, stubs }: { chart: ChartIndex; stubs: readonly ChartEdge[] },
): Row[] {
  const invokeOf = ({ trigger }: ChartEdge) => ('invoke' in trigger ? trigger.invoke : null);
  const chips = (edges: readonly ChartEdge[]) => edges.map((edge) => chipOf(edge, { node, chart }));
  return [
    ...actionRow('entry', node.entry),
    ...actionRow('exit', node.exit),
    ...node.invokes.map(({ src }, invoke) => ({
      keyword: 'invoke',
      text: shortened(src, fonts.row),
      chips: chips(stubs.filter((edge) => invokeOf(edge) === invoke)),
    })),
    ...stubs
      .filter((edge) => invokeOf(edge) === null)
      .map((edge) => ({ keyword: 'on', text: stubText(edge, chart), chips: chips([edge]) })),
  ];
}

function actionRow(keyword: string, actions: readonly string[]): Row[] {
  if (actions.length === 0) return [];
  return [{ keyword, text: shortened(actions.join(', '), fonts.row), chips: [] }];
}

function stubText(edge: ChartEdge, chart: ChartIndex): string {
  const { trigger, guard, actions } = edgeLabel(edge, chart);
  const parts = [trigger, guard === null ? '' : `[${guard}]`];
  if (actions.length > 0) parts.push(`/ ${actions.join(', ')}`);
  return shortened(parts.filter((part) => part !== '').join(' '), fonts.row);
}

function chipOf(edge: ChartEdge, { node, chart }: { node: ChartNode; chart: ChartIndex }): Chip {
  const { trigger, guard } = edgeLabel(edge, chart);
  const isActors = 'invoke' in edge.trigger;
  const before = isActors ? [trigger, ...(guard === null ? [] : [`[${guard}]`])] : [];
  const text = shortened([...before, destination(edge, { node, chart })].join(' '), fonts.tag);
  const width = textWidth(text, fonts.tag) + 2 * sizes.chipPad;
  return { text, width, tone: toneOf(edge), edge: edge.id };
}

function destination(
  { targets, source, actions, reenter }: ChartEdge,
  { node, chart }: { node: ChartNode; chart: ChartIndex },
): string {
  if (targets.length === 0) return actions.length === 0 ? 'ignored' : 'stays';
  if (targets.every((target) => target === source)) return reenter ? 're-enters' : 'stays';
  return `→ ${targets.map((target) => chart.node(target).key || node.key).join(', ')}`;
}

export function keywordWidth(keyword: string): number {
  return textWidth(`${keyword} `, fonts.row);
}

function rowWidth({ keyword, text, chips }: Row): number {
  const chipsWidth = sum(chips.map(({ width }) => width + sizes.tagGap));
  return (
    keywordWidth(keyword) +
    textWidth(text, fonts.row) +
    (chips.length > 0 ? sizes.gap - sizes.tagGap + chipsWidth : 0)
  );
}

function shortened(text: string, font: Font): string {
  return fitText(sanitize(text), { font, width: sizes.maxText });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
