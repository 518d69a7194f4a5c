/**
 * Which end of a line stands first in the picture.
 *
 * Cycles are broken here, by document order, and not by ELK: a line that leads upwards is laid out
 * the other way round and turned again when it is drawn. Then states read in the order in which
 * they are written. (ELK's own MODEL_ORDER crashes on nested graphs in 0.12.1: elk#1182.)
 */
import type { ChartIndex } from '../chart-model.ts';
import type { EdgeLine } from './geometry.ts';

export function pointsBack({ source, target }: EdgeLine, chart: ChartIndex): boolean {
  return chart.order(target) < chart.order(source);
}

/** In a picture that goes right, the upper state is the left one. */
export function upperAndLower(line: EdgeLine, chart: ChartIndex) {
  const { source, target } = line;
  return pointsBack(line, chart)
    ? { upper: target, lower: source }
    : { upper: source, lower: target };
}
