/** This module finds the size of a label on a line, and where each piece of its text goes. */
import type { LabelLine, LabelSpan, Point } from './geometry.ts';
import { textWidth } from './measure.ts';
import { fonts } from './node-content.ts';

const padX = 8;
const padY = 4;
const lineHeight = 15;
const baseline = 11;
const spanGap = 4;

export function labelSize(lines: readonly LabelLine[]): { width: number; height: number } {
  return {
    width: Math.max(...lines.map(lineWidth)) + 2 * padX,
    height: lines.length * lineHeight + 2 * padY,
  };
}

export interface PlacedSpan extends Point {
  readonly span: LabelSpan;
  readonly line: LabelLine;
}

/** Lines are centred; x and y are where the text begins, from the label's corner. */
export function placeSpans(lines: readonly LabelLine[]): PlacedSpan[] {
  const { width } = labelSize(lines);
  return lines.flatMap((line, row) => {
    let x = (width - lineWidth(line)) / 2;
    return line.spans.map((span) => {
      const placed = { span, line, x, y: padY + row * lineHeight + baseline };
      x += spanWidth(span) + spanGap;
      return placed;
    });
  });
}

function lineWidth({ spans }: LabelLine): number {
  return spans.reduce((width, span) => width + spanWidth(span) + spanGap, -spanGap);
}

function spanWidth({ text, kind }: LabelSpan): number {
  return textWidth(text, kind === 'trigger' ? fonts.trigger : fonts.label);
}
