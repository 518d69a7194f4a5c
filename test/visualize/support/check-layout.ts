/** What must hold of every picture, as a list of what does not. */
import type {
  Box,
  Layout,
  PlacedEdge,
  PlacedNode,
  Point,
} from '../../../src/visualize/layout/geometry.ts';
import type { LaidOutChart } from '../../../src/visualize/layout/layout.ts';

const slack = 0.6;

export function layoutFaults({ layout, chart, content }: LaidOutChart): string[] {
  const contains = (outer: string, inner: string) =>
    chart.ancestors(inner).some(({ id }) => id === outer);
  return [
    ...overlappingStates(layout, contains),
    ...crampedStates(layout, content),
    ...labelFaults(layout, contains),
    ...lineFaults(layout),
    ...linesInTheWay(layout, contains),
    ...outsideView(layout),
  ];
}

type Contains = (outer: string, inner: string) => boolean;

function overlappingStates({ nodes }: Layout, contains: Contains): string[] {
  return pairs(nodes).flatMap(([one, other]) => {
    if (contains(one.id, other.id))
      return isWithin(other, one) ? [] : [`${other.id} sticks out of ${one.id}`];
    return overlap(one, other) ? [`${one.id} overlaps ${other.id}`] : [];
  });
}

function crampedStates({ nodes }: Layout, content: LaidOutChart['content']): string[] {
  return nodes.flatMap(({ id, width, height }) => {
    const needs = content(id);
    return width + slack < needs.width || height + slack < needs.height
      ? [`${id} is too small for its text`]
      : [];
  });
}

function labelFaults({ nodes, edges, initials }: Layout, contains: Contains): string[] {
  const labels = edges.flatMap(({ line, label }) => (label === null ? [] : [{ ...label, line }]));
  const leaves = nodes.filter(({ id }) => !nodes.some((other) => contains(id, other.id)));
  return [
    ...pairs(labels).flatMap(([one, other]) =>
      overlap(one, other) ? [`the labels of ${one.line.id} and ${other.line.id} overlap`] : [],
    ),
    ...labels.flatMap((label) => [
      ...leaves.filter((leaf) => overlap(leaf, label)).map(({ id }) => `a label lies on ${id}`),
      ...initials
        .filter(({ dot }) => overlap(dot, label))
        .map(({ parent }) => `a label lies on the dot of ${parent}`),
      ...edges
        .filter(({ points }) => isInside(points[0], label) || isInside(points.at(-1), label))
        .map(({ line }) => `a label lies on an end of ${line.id}`),
      ...nodes
        .filter((node) => cutsBorder(label, node))
        .map(({ id }) => `a label lies on the border of ${id}`),
    ]),
  ];
}

function cutsBorder(label: Box, node: Box): boolean {
  return overlap(label, node) && !isWithin(label, node);
}

function lineFaults({ nodes, edges, initials }: Layout): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const ends = [
    ...edges.flatMap(({ line, points }) => [
      { id: line.id, state: byId.get(line.source), point: points[0] },
      { id: line.id, state: byId.get(line.target), point: points.at(-1) },
    ]),
    ...initials.map(({ parent, target, points }) => ({
      id: `start of ${parent}`,
      state: byId.get(target),
      point: points.at(-1),
    })),
  ];
  return [
    ...ends
      .filter(({ state, point }) => !isOnBorder(point, state))
      .map(({ id, state }) => `${id} does not end on ${state?.id}`),
    ...edges
      .filter((edge) => !isOrthogonal(edge))
      .map(({ line }) => `${line.id} has a slanted part`),
  ];
}

/** A line that runs through a state or a label that is not its own, or on top of another line. */
function linesInTheWay({ nodes, edges }: Layout, contains: Contains): string[] {
  const leaves = nodes.filter(({ id }) => !nodes.some((other) => contains(id, other.id)));
  const parts = edges.flatMap(({ line, points }) =>
    points.slice(1).map((point, at) => ({ line, ...partBetween(points[at] ?? point, point) })),
  );
  return [
    ...parts.flatMap((part) => [
      ...leaves
        .filter((leaf) => overlap(part, leaf))
        .map(({ id }) => `${part.line.id} runs through ${id}`),
      ...edges
        .filter(({ line, label }) => line !== part.line && label !== null && overlap(part, label))
        .map(({ line }) => `${part.line.id} runs through the label of ${line.id}`),
    ]),
    ...pairs(parts)
      .filter(([one, other]) => one.line !== other.line && runTogether(one, other))
      .map(([one, other]) => `${one.line.id} and ${other.line.id} lie on each other`),
  ];
}

function partBetween(one: Point, other: Point): Box {
  return {
    x: Math.min(one.x, other.x),
    y: Math.min(one.y, other.y),
    width: Math.abs(one.x - other.x),
    height: Math.abs(one.y - other.y),
  };
}

function runTogether(one: Box, other: Box): boolean {
  const isUpright = ({ width, height }: Box) => height > width;
  return isUpright(one) === isUpright(other) && overlap(thickened(one), thickened(other));
}

function thickened({ x, y, width, height }: Box): Box {
  return { x: x - 1, y: y - 1, width: width + 2, height: height + 2 };
}

function isOnBorder(point: Point | undefined, box: PlacedNode | undefined): boolean {
  if (point === undefined || box === undefined) return false;
  const { x, y, width, height } = box;
  const near = (one: number, other: number) => Math.abs(one - other) <= slack;
  const inX = point.x >= x - slack && point.x <= x + width + slack;
  const inY = point.y >= y - slack && point.y <= y + height + slack;
  const onX = near(point.x, x) || near(point.x, x + width);
  const onY = near(point.y, y) || near(point.y, y + height);
  return (inX && onY) || (inY && onX);
}

function isOrthogonal({ points }: PlacedEdge): boolean {
  return points.slice(1).every((point, at) => {
    const before = points[at] ?? point;
    return Math.abs(point.x - before.x) <= slack || Math.abs(point.y - before.y) <= slack;
  });
}

function outsideView({ width, height, nodes, edges, initials }: Layout): string[] {
  const view = { x: 0, y: 0, width, height };
  const corners = edges.flatMap(({ line, points }) =>
    points.map((point) => ({ id: line.id, ...point, width: 0, height: 0 })),
  );
  const labels = edges.flatMap(({ line, label }) =>
    label === null ? [] : [{ id: `label ${line.id}`, ...label }],
  );
  const dots = initials.map(({ parent, dot }) => ({ id: `dot ${parent}`, ...dot }));
  return [...nodes, ...corners, ...labels, ...dots]
    .filter((box) => !isWithin(box, view))
    .map(({ id }) => `${id} is outside the view`);
}

function overlap(one: Box, other: Box): boolean {
  return (
    one.x + slack < other.x + other.width &&
    other.x + slack < one.x + one.width &&
    one.y + slack < other.y + other.height &&
    other.y + slack < one.y + one.height
  );
}

function isWithin(inner: Box, outer: Box): boolean {
  return (
    inner.x >= outer.x - slack &&
    inner.y >= outer.y - slack &&
    inner.x + inner.width <= outer.x + outer.width + slack &&
    inner.y + inner.height <= outer.y + outer.height + slack
  );
}

function isInside(point: Point | undefined, { x, y, width, height }: Box): boolean {
  if (point === undefined) return false;
  return (
    point.x > x + slack &&
    point.x < x + width - slack &&
    point.y > y + slack &&
    point.y < y + height - slack
  );
}

/** Each with each other, in order: a parent stands before its children. */
function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((one, at) => items.slice(at + 1).map((other): [T, T] => [one, other]));
}
