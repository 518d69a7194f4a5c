/**
 * ELK's placement leaves lines that jog by a few pixels just before they end, which looks
 * like a mistake. Such an end is moved along the border of its state until the jog is gone.
 */
import type { Box, Point } from './geometry.ts';

const smallJog = 9;
/** The room is that of the rounded corner of a box, and some air. */
const cornerRoom = 14;

export function straighten(
  points: readonly Point[],
  { source, target }: { readonly source: Box; readonly target: Box },
): Point[] {
  const fromStart = withoutFirstJogs(points, source);
  return withoutFirstJogs(fromStart.toReversed(), target).toReversed();
}

/** A jog that is gone may leave another at the end. */
function withoutFirstJogs(points: readonly Point[], box: Box): Point[] {
  const once = withoutFirstJog(points, box);
  return once.length === points.length ? once : withoutFirstJogs(once, box);
}

function withoutFirstJog(points: readonly Point[], box: Box): Point[] {
  const [start, first, second, third, ...rest] = points;
  if (start === undefined || first === undefined || second === undefined || third === undefined) {
    return [...points];
  }
  const isDown = start.x === first.x && second.x === third.x && first.y === second.y;
  const isAcross = start.y === first.y && second.y === third.y && first.x === second.x;
  const moved = isDown ? { x: second.x, y: start.y } : { x: start.x, y: second.y };
  const jog = Math.abs(moved.x - start.x) + Math.abs(moved.y - start.y);
  const mayMove = (isDown || isAcross) && jog < smallJog && isClearOfCorners(moved, box, isDown);
  return mayMove ? [moved, third, ...rest] : [...points];
}

function isClearOfCorners({ x, y }: Point, box: Box, isDown: boolean): boolean {
  const [at, from, length] = isDown ? [x, box.x, box.width] : [y, box.y, box.height];
  return at >= from + cornerRoom && at <= from + length - cornerRoom;
}
