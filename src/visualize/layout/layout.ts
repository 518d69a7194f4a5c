/** Places a chart's states, lines and labels with ELK's layered algorithm. */
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
import { type ChartIndex, type ChartModel, indexChart } from '../chart-model.ts';
import type { Direction } from './direction.ts';
import { edgeLines, groupBy } from './edge-lines.ts';
import { elkGraph, elkIds } from './elk-graph.ts';
import type {
  Box,
  EdgeLine,
  Layout,
  PlacedEdge,
  PlacedInitial,
  PlacedNode,
  Point,
} from './geometry.ts';
import { drawnLines } from './large.ts';
import { pointsBack } from './line-direction.ts';
import { type NodeContent, nodeContent } from './node-content.ts';
import { placeGraph } from './place.ts';
import { straighten } from './straighten.ts';

export interface LaidOutChart {
  readonly model: ChartModel;
  readonly chart: ChartIndex;
  readonly layout: Layout;
  readonly content: (id: string) => NodeContent;
}

export interface LayoutRequest {
  readonly direction: Direction;
  /** Called before a layout that takes seconds. */
  readonly onSlow?: (message: string) => void;
}

export async function layOutChart(
  model: ChartModel,
  { direction, onSlow }: LayoutRequest,
): Promise<LaidOutChart> {
  const { graph, chart, lines, content, isLarge, leftOut } = graphOf(model, { direction });
  if (isLarge) onSlow?.(slowness({ states: chart.nodes.length - 1, leftOut }));
  const placed = await placeGraph(graph);
  return { model, chart, content, layout: readLayout(placed, { chart, lines }) };
}

function slowness({ states, leftOut }: { readonly states: number; readonly leftOut: number }) {
  const wait = `laying out ${states} states: this can take some seconds, up to 30 for 2,000 states`;
  if (leftOut === 0) return wait;
  return `${wait}; ${leftOut} lines that lead far are not drawn, and stand in the boxes of their states`;
}

/** Gives the graph that ELK is asked to lay out for a chart. */
export function graphOf(model: ChartModel, { direction }: { readonly direction: Direction }) {
  const chart = indexChart(model);
  const { edges } = model;
  const { lines, stubs, isLarge, leftOut } = drawnLines(edgeLines(edges, chart), { chart, edges });
  const stubsOf = groupBy(stubs, ({ source }) => source);
  const contents = new Map(
    chart.nodes.map((node) => {
      const own = stubsOf.get(node.id) ?? [];
      return [node.id, nodeContent(node, { chart, stubs: own })] as const;
    }),
  );
  const content = (id: string) => {
    const found = contents.get(id);
    if (found === undefined) throw new Error(`no state ${id}`);
    return found;
  };
  const graph = elkGraph({ chart, content, lines, direction, isLarge });
  return { graph, chart, lines, content, isLarge, leftOut };
}

function readLayout(
  placed: ElkNode,
  { chart, lines }: { chart: ChartIndex; lines: readonly EdgeLine[] },
): Layout {
  const boxes = absoluteBoxes(placed);
  const edges = new Map((placed.edges ?? []).map((edge) => [edge.id, edge]));
  const box = (id: string): Box => found(boxes.get(id), id);
  const points = (id: string) => pointsOf(found(edges.get(id), id));
  return {
    width: placed.width ?? 0,
    height: placed.height ?? 0,
    nodes: chart.nodes.slice(1).map(
      (node): PlacedNode => ({
        id: node.id,
        depth: chart.ancestors(node.id).length,
        ...box(elkIds.node(node.id)),
      }),
    ),
    initials: chart.nodes.flatMap(({ id, initial }): PlacedInitial[] =>
      initial === null
        ? []
        : [
            {
              parent: id,
              target: initial,
              dot: box(elkIds.dot(id)),
              points: points(elkIds.initial(id)),
            },
          ],
    ),
    edges: lines.map((line): PlacedEdge => {
      const id = elkIds.line(line.id);
      const [label] = found(edges.get(id), id).labels ?? [];
      return {
        line,
        points: straighten(pointsBack(line, chart) ? points(id).toReversed() : points(id), {
          source: box(elkIds.node(line.source)),
          target: box(elkIds.node(line.target)),
        }),
        label: label === undefined ? null : boxOf(label),
      };
    }),
  };
}

function boxOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Box>): Box {
  return { x, y, width, height };
}

/** ELK places a node relative to its parent; the picture wants it from the corner. */
function absoluteBoxes(root: ElkNode): Map<string, Box> {
  const boxes = new Map<string, Box>();
  const visit = (node: ElkNode, origin: Point) => {
    for (const child of node.children ?? []) {
      const at = { x: origin.x + (child.x ?? 0), y: origin.y + (child.y ?? 0) };
      boxes.set(child.id, { ...at, width: child.width ?? 0, height: child.height ?? 0 });
      visit(child, at);
    }
  };
  visit(root, { x: 0, y: 0 });
  return boxes;
}

function pointsOf({ sections }: ElkExtendedEdge): Point[] {
  return (sections ?? []).flatMap(({ startPoint, bendPoints, endPoint }) => [
    startPoint,
    ...(bendPoints ?? []),
    endPoint,
  ]);
}

function found<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new Error(`the layout has lost ${id}`);
  return value;
}
