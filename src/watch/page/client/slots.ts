/** The key slots in use over time. */
import { makeSvg, part } from '../../../visualize/page/client/dom.ts';
import type { EventMessage } from '../../messages.ts';
import { facts, formatMs } from './facts.ts';

interface Sample {
  readonly atMs: number;
  readonly used: number;
}

const samples: Sample[] = [];
const area = makeSvg('polygon');
const peakLine = makeSvg('line', { class: 'peak', x2: 1000 });
const usedLine = makeSvg('polyline');
const plot = part('slots', SVGSVGElement);
plot.setAttribute('viewBox', '0 0 1000 102');
plot.append(area, peakLine, usedLine);

/** There is a sample for each change, and none between. */
export function takeSlots({ atMs, usedSlots }: EventMessage): void {
  if (usedSlots === undefined || samples.at(-1)?.used === usedSlots) return;
  samples.push({ atMs, used: usedSlots });
}

export function drawSlots(endMs: number): void {
  const last = samples.at(-1);
  if (last === undefined) return;
  const peak = Math.max(...samples.map(({ used }) => used));
  const total = facts.totalSlots ? `, of ${facts.totalSlots}` : '';
  part('slots-now', HTMLElement).textContent = `${last.used} in use, ${peak} at the peak${total}`;
  part('slots-end', HTMLElement).textContent = formatMs(endMs);

  const y = (used: number) => (100 - (100 * used) / (Math.max(peak, 1) * 1.15)).toFixed(2);
  const line = corners(endMs)
    .map(({ atMs, used }) => `${((1000 * atMs) / Math.max(endMs, 0.001)).toFixed(1)},${y(used)}`)
    .join(' ');
  peakLine.setAttribute('y1', y(peak));
  peakLine.setAttribute('y2', y(peak));
  usedLine.setAttribute('points', line);
  area.setAttribute('points', `0,100 ${line} 1000,100`);
}

/** A stair: the number stays until the next sample, the last one until the end. */
function corners(endMs: number): Sample[] {
  return samples.flatMap((sample, at) => {
    const until = samples[at + 1]?.atMs ?? endMs;
    return [sample, { atMs: until, used: sample.used }];
  });
}
