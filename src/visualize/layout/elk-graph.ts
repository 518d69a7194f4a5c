/** The chart as a graph for ELK (https://eclipse.dev/elk/reference/options.html). */
import type { ElkExtendedEdge, ElkLabel, ElkNode, LayoutOptions } from 'elkjs';
import type { ChartIndex, ChartNode } from '../chart-model.ts';
import type { EdgeLine } from './geometry.ts';
import { labelSize } from './line-label.ts';
import { type NodeContent, sizes } from './node-content.ts';

export type Direction = 'down' | 'right';

export const dotSize = 12;

/** ELK inherits nothing: every compound state needs the whole set. */
function options(direction: Direction): LayoutOptions {
  return {
    'elk.algorithm': 'layered',
    'elk.direction': direction === 'down' ? 'DOWN' : 'RIGHT',
    'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
    'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
    'elk.json.edgeCoords': 'ROOT',
    'elk.spacing.nodeNode': '36',
    'elk.spacing.edgeNode': '22',
    'elk.spacing.edgeEdge': '14',
    'elk.spacing.edgeLabel': '6',
    'elk.layered.spacing.nodeNodeBetweenLayers': '26',
    'elk.layered.spacing.edgeNodeBetweenLayers': '14',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  };
}

export interface ElkGraphParts {
  readonly chart: ChartIndex;
  readonly content: (id: string) => NodeContent;
  readonly lines: readonly EdgeLine[];
  readonly direction: Direction;
}

export const elkIds = {
  node: (id: string) => `n:${id}`,
  dot: (parent: string) => `dot:${parent}`,
  initial: (parent: string) => `initial:${parent}`,
  line: (id: string) => `line:${id}`,
};

export function elkGraph({ chart, content, lines, direction }: ElkGraphParts): ElkNode {
  const layoutOptions = options(direction);
  const [root] = chart.nodes;
  if (root === undefined) throw new Error('a chart without a root');

  const elkNode = (node: ChartNode): ElkNode => {
    const { width, height } = content(node.id);
    const id = elkIds.node(node.id);
    if (node.children.length === 0) return { id, width, height };
    return {
      id,
      layoutOptions: {
        ...layoutOptions,
        'elk.padding': `[top=${height + 10},left=22,bottom=22,right=22]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': minimumSize({ width, height: height + 40 }, direction),
      },
      children: childrenOf(node),
    };
  };
  const childrenOf = (node: ChartNode): ElkNode[] => [
    ...(node.initial === null ? [] : [dotNode(node)]),
    ...node.children.map(elkNode),
  ];

  return {
    id: 'root',
    layoutOptions: {
      ...layoutOptions,
      'elk.padding': `[top=${rootHeader(content(root.id))},left=28,bottom=28,right=28]`,
    },
    children: childrenOf(root),
    edges: [...chart.nodes.flatMap(initialEdge), ...lines.map((line) => lineEdge(line, chart))],
  };
}

/** elkjs 0.12.1 turns a nested graph that goes down by 90 degrees, and forgets its minimum size. */
function minimumSize({ width, height }: Size, direction: Direction): string {
  return direction === 'down' ? `(${height},${width})` : `(${width},${height})`;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Room above the chart for the machine's name and description, and for its rows. */
function rootHeader({ rows }: NodeContent): number {
  const rowsHeight = rows.length === 0 ? 0 : sizes.ruleGap + rows.length * sizes.row;
  return 2 * sizes.padY + 58 + rowsHeight;
}

function dotNode(node: ChartNode): ElkNode {
  return {
    id: elkIds.dot(node.id),
    width: dotSize,
    height: dotSize,
    layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' },
  };
}

function initialEdge(node: ChartNode): ElkExtendedEdge[] {
  if (node.initial === null) return [];
  return [
    {
      id: elkIds.initial(node.id),
      sources: [elkIds.dot(node.id)],
      targets: [elkIds.node(node.initial)],
    },
  ];
}

function lineEdge(line: EdgeLine, chart: ChartIndex): ElkExtendedEdge {
  const [from, to] = pointsBack(line, chart)
    ? [line.target, line.source]
    : [line.source, line.target];
  return {
    id: elkIds.line(line.id),
    sources: [elkIds.node(from)],
    targets: [elkIds.node(to)],
    labels: line.labels.length === 0 ? [] : [elkLabel(line)],
  };
}

function elkLabel({ id, labels }: EdgeLine): ElkLabel {
  return {
    id: `label:${id}`,
    text: id,
    ...labelSize(labels),
    layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
  };
}

/**
 * Cycles are broken here, by document order, and not by ELK: a line that leads upwards is laid out
 * the other way round and turned again when it is drawn. Then states read in the order in which
 * they are written. (ELK's own MODEL_ORDER crashes on nested graphs in 0.12.1: elk#1182.)
 */
export function pointsBack({ source, target }: EdgeLine, chart: ChartIndex): boolean {
  return chart.order(target) < chart.order(source);
}
