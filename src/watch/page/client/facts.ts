/** What the page was told at first, and how it writes times. */
import { readData } from '../../../visualize/page/client/dom.ts';
import type { PageData } from '../facts.ts';

export const facts = readData<PageData>();

export function formatMs(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(2)} ms`;
}

/** Writes durations, which may be shorter than the last digit of formatMs(). */
export function formatDuration(value: number): string {
  return value < 0.1 ? `${Math.round(value * 1000)} µs` : formatMs(value);
}
