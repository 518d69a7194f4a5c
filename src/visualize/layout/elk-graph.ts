/** The chart becomes a graph for ELK (https://eclipse.dev/elk/reference/options.html). */
import type { ElkExtendedEdge, ElkLabel, ElkNode, LayoutOptions } from 'elkjs';
import type { ChartIndex, ChartNode } from '../chart-model.ts';
import type { Direction } from './direction.ts';
import type { EdgeLine } from './geometry.ts';
import { pointsBack, upperAndLower } from './line-direction.ts';
import { countLineEnds, lineEndOptions, lineRoom, sideLength } from './line-ends.ts';
import { labelSize } from './line-label.ts';
import { type NodeContent, sizes } from './node-content.ts';

export const dotSize = 12;

/**
 * ELK inherits nothing: every compound state needs the whole set.
 *
 * A state stands as early as the states before it allow (LONGEST_PATH_SOURCE), so that alternatives
 * such as making and receiving a TD stand side by side. Crossings are counted across the borders of
 * compounds (sweepiness 1): half as many are left.
 */
function options({
  direction,
  isLarge,
}: Pick<ElkGraphParts, 'direction' | 'isLarge'>): LayoutOptions {
  return {
    'elk.algorithm': 'layered',
    'elk.direction': direction === 'down' ? 'DOWN' : 'RIGHT',
    'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.layered.layering.strategy': 'LONGEST_PATH_SOURCE',
    'elk.layered.crossingMinimization.hierarchicalSweepiness': '1.0',
    ...(isLarge ? quick : thorough),
    'elk.json.edgeCoords': 'ROOT',
    'elk.spacing.nodeNode': '36',
    'elk.spacing.edgeNode': '22',
    'elk.spacing.edgeEdge': '14',
    'elk.spacing.edgeLabel': '6',
    'elk.spacing.portPort': String(lineRoom[direction].between),
    'elk.layered.spacing.nodeNodeBetweenLayers': '26',
    'elk.layered.spacing.edgeNodeBetweenLayers': '14',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  };
}

/** These options make short, straight lines, but the time grows fast with the number of corners. */
const thorough: LayoutOptions = { 'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX' };
const quick: LayoutOptions = {
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.thoroughness': '1',
};

export interface ElkGraphParts {
  readonly chart: ChartIndex;
  readonly content: (id: string) => NodeContent;
  readonly lines: readonly EdgeLine[];
  readonly direction: Direction;
  /** Less care is taken, so that it does not take too long. */
  readonly isLarge: boolean;
}

export const elkIds = {
  node: (id: string) => `n:${id}`,
  dot: (parent: string) => `dot:${parent}`,
  initial: (parent: string) => `initial:${parent}`,
  line: (id: string) => `line:${id}`,
};

export function elkGraph({ chart, content, lines, direction, isLarge }: ElkGraphParts): ElkNode {
  const layoutOptions = options({ direction, isLarge });
  const [root] = chart.nodes;
  const lineEnds = countLineEnds(lines, chart);
  if (root === undefined) throw new Error('a chart without a root');

  const elkNode = (node: ChartNode): ElkNode => {
    const { width, height } = content(node.id);
    const id = elkIds.node(node.id);
    if (node.children.length === 0) {
      const ends = lineEnds(node.id);
      const side = sideLength(ends, direction);
      const size =
        direction === 'down'
          ? { width: Math.max(width, side), height }
          : { width, height: Math.max(height, side) };
      return { id, ...size, layoutOptions: lineEndOptions(ends, direction) };
    }
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

/** The space above the chart is for the machine's name and description, and for its rows. */
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
  const { upper, lower } = upperAndLower(line, chart);
  return {
    id: elkIds.line(line.id),
    sources: [elkIds.node(upper)],
    targets: [elkIds.node(lower)],
    labels: line.labels.length === 0 ? [] : [elkLabel(line, chart)],
  };
}

/**
 * A label lies on its line, near the state that the line leaves, so that what may happen there is read
 * below its box.
 */
function elkLabel(line: EdgeLine, chart: ChartIndex): ElkLabel {
  return {
    id: `label:${line.id}`,
    text: line.id,
    ...labelSize(line.labels),
    layoutOptions: {
      'elk.edgeLabels.inline': 'true',
      'elk.edgeLabels.placement': 'CENTER',
      'elk.layered.edgeLabels.centerLabelPlacementStrategy': pointsBack(line, chart)
        ? 'HEAD_LAYER'
        : 'TAIL_LAYER',
    },
  };
}
