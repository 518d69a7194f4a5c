/** Draws the key slots in use over time as a line of steps. */

import type { ReportedRun } from '../../../rehearsal/index.ts';
import { element, text } from '../../../visualize/svg/element.ts';
import type { TimeScale } from './time-scale.ts';

const left = 130;
const height = 90;
const top = 16;

export function slotsSvg({ slots }: ReportedRun, scale: TimeScale): string {
  const { peak, samples } = slots;
  if (samples.length === 0) return '<p>This host does not tell.</p>';
  const y = (used: number) => Math.round(top + (height - 2 * top) * (1 - used / Math.max(1, peak)));
  let path = '';
  for (const { atMs, used } of samples) {
    const x = Math.round(left + scale.at(atMs));
    path += path === '' ? `M${x} ${y(used)}` : `H${x}V${y(used)}`;
  }
  const end = Math.round(left + scale.width);
  return element(
    'svg',
    {
      role: 'img',
      'aria-label': `Key slots in use over time, at most ${peak}`,
      width: end + 30,
      height,
    },
    [
      text(`${peak} in use`, { x: 0, y: y(peak) + 4 }),
      text('none', { x: 0, y: y(0) + 4 }),
      element('line', { class: 'axis', x1: left, x2: end, y1: y(0), y2: y(0) }),
      element('path', { class: 'slots', d: `${path}H${end}` }),
    ],
  );
}
