/**
 * The key slots in use over time. The scale is that of a rehearsal's page: the steps of a run have room
 * beside a teardown that takes a hundred times as long.
 */
import { make, makeSvg, part } from '../../../visualize/page/client/dom.ts';
import { TimeScale } from '../../../visualize/page/client/time-scale.ts';
import type { EventMessage } from '../../messages.ts';
import { facts, formatMs } from './facts.ts';

interface Sample {
  readonly atMs: number;
  readonly used: number;
}

/** A run with more steps than this is drawn by its slots alone. */
const mostMoments = 400;
const tickWidth = 66;

const samples: Sample[] = [];
const moments = new Set<number>();
const borders: number[] = [];
const area = makeSvg('polygon');
const usedLine = makeSvg('polyline');
const drawing = part('slots', SVGSVGElement);
const plot = part('slots-plot', HTMLElement);
drawing.setAttribute('viewBox', '0 0 1000 100');
drawing.append(area, usedLine);

/** There is a sample for each change, and none between. */
export function takeSlots({ atMs, usedSlots, event }: EventMessage): void {
  if (event.event === 'step.ended') {
    if (moments.size < mostMoments) moments.add(atMs);
    // The chart of a move has this step where nothing can be taken back any more.
    if (event.step === 'moving') borders.push(atMs - event.durationMs);
  }
  if (usedSlots === undefined || samples.at(-1)?.used === usedSlots) return;
  samples.push({ atMs, used: usedSlots });
}

export function drawSlots(endMs: number): void {
  const last = samples.at(-1);
  if (last === undefined) return;
  const peak = Math.max(...samples.map(({ used }) => used));
  const total = facts.totalSlots ? `, of ${facts.totalSlots}` : '';
  part('slots-now', HTMLElement).textContent = `${last.used} in use, ${peak} at the peak${total}`;
  part('slots-peak', HTMLElement).textContent = String(Math.max(peak, 1));

  const times = [0, ...moments, ...borders, ...samples.map(({ atMs }) => atMs), endMs];
  const scale = new TimeScale(times);
  const y = (used: number) => (100 - (100 * used) / Math.max(peak, 1)).toFixed(2);
  const line = corners(endMs)
    .map(({ atMs, used }) => `${(1000 * scale.before(atMs)).toFixed(1)},${y(used)}`)
    .join(' ');
  usedLine.setAttribute('points', line);
  area.setAttribute('points', `0,100 ${line} 1000,100`);
  drawAxis(scale, endMs);
  drawBorders(scale);
}

function drawAxis(scale: TimeScale, endMs: number): void {
  const ticks = scale.ticks(tickWidth / Math.max(plot.clientWidth, tickWidth)).map(({ ms, at }) => {
    const tick = make('span', formatMs(ms));
    tick.style.left = share(at);
    return tick;
  });
  const end = make('span', formatMs(endMs), { className: 'end' });
  part('slots-axis', HTMLElement).replaceChildren(...ticks, end);
}

/** The words stand at the first; the others have them as a tooltip. */
function drawBorders(scale: TimeScale): void {
  for (const old of plot.querySelectorAll('.border')) old.remove();
  const drawn = borders.map((atMs, index) => {
    const at = scale.before(atMs);
    const words = index === 0 ? [make('span', 'point of no return')] : [];
    const className = at > 0.5 ? 'border turned' : 'border';
    const line = make('div', words, { className, title: 'point of no return' });
    line.style.left = share(at);
    return line;
  });
  plot.append(...drawn);
}

function share(at: number): string {
  return `${(100 * at).toFixed(2)}%`;
}

/** A stair: the number stays until the next sample, the last one until the end. */
function corners(endMs: number): Sample[] {
  return samples.flatMap((sample, at) => {
    const until = samples[at + 1]?.atMs ?? endMs;
    return [sample, { atMs: until, used: sample.used }];
  });
}
