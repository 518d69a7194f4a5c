/**
 * Mermaid's stateDiagram-v2, as GitHub renders it.
 *
 * Mermaid draws no line out of a parallel region other than the first (mermaid#5096), and crashes
 * where a composite state inside a region is an end of a line (mermaid#4052). So a line that
 * crosses the border of a parallel state ends at that state, and a composite inside a region is
 * represented by its first leaf; the label then says which state is meant.
 */
import { sanitize } from '../../errors/sanitize.ts';
import {
  type ChartEdge,
  type ChartIndex,
  type ChartModel,
  type ChartNode,
  indexChart,
} from '../chart-model.ts';
import { edgeText } from '../labels.ts';
import type { Direction } from '../layout/direction.ts';
import { indent } from './indent.ts';
import { wordNames } from './node-names.ts';
import { firstLeaf, regions, writtenIn } from './placement.ts';

export function chartMermaid(
  model: ChartModel,
  { direction }: { readonly direction: Direction },
): string {
  const chart = indexChart(model);
  const name = wordNames(model);
  const lines = linesByBlock(model, chart);

  const block = (node: ChartNode): string[] => {
    const inner = node.children.map((child) => state(child));
    const own = (lines.get(node.id) ?? []).map(
      ({ from, to, label }) => `${name(from)} --> ${name(to)} : ${label}`,
    );
    const start = node.initial === null ? [] : [`[*] --> ${name(node.initial)}`];
    return [...start, ...regions(node, inner, '--'), ...own];
  };
  const state = (node: ChartNode): string[] => {
    const declared = `state "${escapeMermaid(node.key)}" as ${name(node.id)}`;
    if (node.children.length > 0) return [`${declared} {`, ...indent(block(node)), '}'];
    const stays = chart
      .outgoing(node.id)
      .filter(({ targets }) => targets.length === 0)
      .map((edge) => `${name(node.id)} : ${escapeMermaid(`${edgeText(edge, chart)} (stays)`)}`);
    return [declared, ...stays, ...(node.kind === 'final' ? [`${name(node.id)} --> [*]`] : [])];
  };

  return [
    'stateDiagram-v2',
    ...indent([
      `%% ${sanitize(model.id).replace(/[{}%]/g, ' ')}, version ${model.version}`,
      `direction ${direction === 'down' ? 'TB' : 'LR'}`,
      ...(model.root.kind === 'parallel' ? state(model.root) : block(model.root)),
      ...rootNotes(model, { chart, name }),
    ]),
    '',
  ].join('\n');
}

/** The machine itself is the picture, which no line can start from. */
function rootNotes(
  model: ChartModel,
  { chart, name }: { chart: ChartIndex; name: (id: string) => string },
): string[] {
  return chart.outgoing('').flatMap((edge) => {
    const text = escapeMermaid(`from any state: ${edgeText(edge, chart)}`);
    const places = edge.targets.length > 0 ? edge.targets : [firstLeaf(model.root).id];
    const stays = edge.targets.length > 0 ? '' : ' (stays)';
    return places.map(
      (id) => `note right of ${name(firstLeaf(chart.node(id)).id)} : ${text}${stays}`,
    );
  });
}

interface Line {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

function linesByBlock(model: ChartModel, chart: ChartIndex): Map<string, Line[]> {
  const lines = new Map<string, Line[]>();
  for (const edge of model.edges.filter(({ source }) => source !== '')) {
    for (const target of edge.targets) {
      const { block, line } = placedLine(edge, { target, chart });
      lines.set(block, [...(lines.get(block) ?? []), line]);
    }
  }
  return lines;
}

function placedLine(edge: ChartEdge, { target, chart }: { target: string; chart: ChartIndex }) {
  const ends = {
    from: drawableEnd(edge.source, { other: target, chart }),
    to: drawableEnd(target, { other: edge.source, chart }),
  };
  const meant = [
    ...(ends.from === edge.source ? [] : [`in ${chart.node(edge.source).key}`]),
    ...(ends.to === target ? [] : [`to ${chart.node(target).key}`]),
  ];
  const note = meant.length === 0 ? '' : ` (${meant.join(', ')})`;
  const label = escapeMermaid(edgeText(edge, chart) + note);
  return { block: writtenIn(ends.from, ends.to, chart), line: { ...ends, label } };
}

/** Gives the end itself, or the nearest state that Mermaid can draw a line to. */
function drawableEnd(id: string, { other, chart }: { other: string; chart: ChartIndex }): string {
  const around = new Set([other, ...chart.ancestors(other).map((node) => node.id)]);
  const crossed = chart
    .ancestors(id)
    .filter((node) => node.kind === 'parallel' && !around.has(node.id));
  const outermost = crossed.at(-1);
  if (outermost !== undefined) return drawableEnd(outermost.id, { other, chart });
  const isInRegion = chart.ancestors(id).some(({ kind }) => kind === 'parallel');
  // Mermaid draws no line between a composite and itself, or something within it, either.
  if (isInRegion || around.has(id)) return firstLeaf(chart.node(id)).id;
  return id;
}

/** Mermaid has no escapes but its own entities, `#code;`. */
export function escapeMermaid(text: string): string {
  const escaped = sanitize(text).replace(
    /[^\p{L}\p{M}\p{N} .,()[\]/→_-]/gu,
    (char) => `#${char.codePointAt(0)};`,
  );
  return escaped.replace(/--/g, '-#45;').trim() || '#160;';
}
