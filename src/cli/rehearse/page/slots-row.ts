/** Draws the key slots in use as a line of steps, on the scale of the lanes above it. */
import type { ReportedRun } from '../../../rehearsal/index.ts';
import type { TimeScale } from '../../../visualize/page/client/time-scale.ts';
import { element, number } from '../../../visualize/svg/element.ts';

/** The drawing is stretched to the width of its track, and its line is not. */
const size = { width: 1000, height: 44 } as const;

export function slotsRow({ slots }: ReportedRun, scale: TimeScale): string {
  const { peak, samples } = slots;
  if (samples.length === 0) return '<p class="note">This host does not tell its key slots.</p>';
  const y = (used: number) => number(size.height * (1 - used / Math.max(1, peak)));
  const x = (atMs: number) => number(size.width * scale.before(atMs));
  const corners = samples.map(({ atMs, used }, index) =>
    index === 0 ? `M${x(atMs)} ${y(used)}` : `H${x(atMs)}V${y(used)}`,
  );
  const line = `${corners.join('')}H${size.width}`;
  const drawing = element(
    'svg',
    {
      viewBox: `0 0 ${size.width} ${size.height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `Key slots in use over time, at most ${peak}`,
    },
    [
      element('path', { class: 'area', d: `${line}V${size.height}H0Z` }),
      element('path', { class: 'slots', d: line }),
    ],
  );
  return `<div class="row slots"><div class="lane"><span>key slots</span><span class="ends"><span>${peak}</span><span>0</span></span></div><div class="track">${drawing}</div></div>`;
}
