/** Lines are orthogonal, with rounded corners and arrow heads. */
import type { Point } from '../layout/geometry.ts';
import { number } from './element.ts';

const cornerRadius = 8;
const headLength = 8;
const headHalfWidth = 4;

/** Gives the line as SVG path data, which stops where the arrow head begins. */
export function linePath(points: readonly Point[]): string {
  const corners = withoutRepeats(points);
  const end = corners.at(-1);
  const beforeEnd = corners.at(-2);
  const [start, ...rest] = corners;
  if (start === undefined || end === undefined || beforeEnd === undefined) return '';
  const inner = rest.slice(0, -1);
  const stop = towards(end, beforeEnd, headLength - 1);
  const bends = inner.map((corner, at) => {
    const from = corners[at] ?? corner;
    const to = at === inner.length - 1 ? stop : (inner[at + 1] ?? corner);
    const radius = Math.min(cornerRadius, distance(from, corner) / 2, distance(corner, to) / 2);
    return `L${place(towards(corner, from, radius))}Q${place(corner)} ${place(towards(corner, to, radius))}`;
  });
  return `M${place(start)}${bends.join('')}L${place(stop)}`;
}

/** Draws a triangle at the line's end. */
export function headPath(points: readonly Point[]): string {
  const corners = withoutRepeats(points);
  const tip = corners.at(-1);
  const from = corners.at(-2);
  if (tip === undefined || from === undefined) return '';
  const base = towards(tip, from, headLength);
  const length = distance(tip, from);
  const across = {
    x: (-(tip.y - from.y) / length) * headHalfWidth,
    y: ((tip.x - from.x) / length) * headHalfWidth,
  };
  const one = { x: base.x + across.x, y: base.y + across.y };
  const other = { x: base.x - across.x, y: base.y - across.y };
  return `M${place(tip)}L${place(one)}L${place(other)}Z`;
}

function withoutRepeats(points: readonly Point[]): Point[] {
  return points.filter((point, at) => {
    const before = points[at - 1];
    return before === undefined || distance(point, before) > 0.01;
  });
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/** Gives the point `length` away from `from` on the way to `to`. */
function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to);
  const share = whole === 0 ? 0 : Math.min(1, length / whole);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function place({ x, y }: Point): string {
  return `${number(x)} ${number(y)}`;
}
