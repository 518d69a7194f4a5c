/** The steps of every VM are bars, one lane below the other; the point of no return is a line. */

import { visibleXml } from '../../../documents/xml.ts';

import type { ReportedRun } from '../../../rehearsal/index.ts';
import { element, text } from '../../../visualize/svg/element.ts';
import { formatDuration } from '../../output/units.ts';
import type { TimeScale } from './time-scale.ts';

const left = 130;
const rowHeight = 26;
const barHeight = 18;
/** More lanes than this would be a table, and no picture. */
const mostLanes = 24;

export function timelineSvg({ steps }: ReportedRun, scale: TimeScale): string {
  const lanes = [...new Set(steps.map(({ lane }) => lane))].slice(0, mostLanes);
  const height = lanes.length * rowHeight + 40;
  const width = left + scale.width + 30;
  const labels = lanes.map((lane, row) => text(lane, { x: 0, y: row * rowHeight + 20 }));
  const bars = steps.flatMap((step) => {
    const row = lanes.indexOf(step.lane);
    return row === -1 ? [] : [bar(step, { scale, y: row * rowHeight })];
  });
  const borders = steps
    .filter(({ step }) => step === 'moving')
    .map(({ startMs }) => {
      const x = left + scale.at(startMs);
      const line = element('line', { class: 'border', x1: x, x2: x, y1: 0, y2: height - 34 });
      return element('g', {}, [element('title', {}, 'The point of no return'), line]);
    });
  const ticks = scale
    .ticks(64)
    .map(({ ms, at }) => text(formatDuration(ms), { class: 'tick', x: left + at, y: height - 12 }));
  return element(
    'svg',
    { role: 'img', 'aria-label': 'Steps of every VM over time', width, height },
    [...labels, ...bars, ...borders, ...ticks],
  );
}

function bar(
  { step, result, startMs, endMs, requests }: ReportedRun['steps'][number],
  { scale, y }: { readonly scale: TimeScale; readonly y: number },
): string {
  const x = left + scale.at(startMs);
  const width = Math.max(3, scale.at(endMs) - scale.at(startMs));
  const made = requests.map(({ request, answer, count }) => `${request} ×${count}: ${answer}`);
  const about = [`${step}, ${result}, ${formatDuration(endMs - startMs)}`, ...made];
  const hasRoom = width > step.length * 6;
  return element('g', {}, [
    element('title', {}, about.map(visibleXml).join('\n')),
    element('rect', { class: `bar ${result}`, x, y: y + 7, width, height: barHeight, rx: 3 }),
    hasRoom ? text(step, { x: x + 4, y: y + 20, class: 'in' }) : '',
  ]);
}
