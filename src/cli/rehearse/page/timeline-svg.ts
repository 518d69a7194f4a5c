/** The steps of every VM as bars, one lane below the other; the point of no return as a line. */

import type { ReportedRun } from '../../../rehearsal/index.ts';
import { visibleXml } from '../../../visualize/xml.ts';
import { formatDuration } from '../../output/units.ts';
import type { TimeScale } from './time-scale.ts';

const left = 130;
const rowHeight = 26;
const barHeight = 18;
/** More lanes than this are a table, not a picture. */
const mostLanes = 24;

export function timelineSvg({ steps }: ReportedRun, scale: TimeScale): string {
  const lanes = [...new Set(steps.map(({ lane }) => lane))].slice(0, mostLanes);
  const height = lanes.length * rowHeight + 40;
  const width = left + scale.width + 30;
  const labels = lanes.map(
    (lane, row) => `<text x="0" y="${row * rowHeight + 20}">${visibleXml(lane)}</text>`,
  );
  const bars = steps.flatMap(({ lane, step, result, startMs, endMs, requests }) => {
    const row = lanes.indexOf(lane);
    if (row === -1) return [];
    const x = left + scale.at(startMs);
    const barWidth = Math.max(3, scale.at(endMs) - scale.at(startMs));
    const made = requests.map(({ request, answer, count }) => `${request} ×${count}: ${answer}`);
    const about = [`${step}, ${result}, ${formatDuration(endMs - startMs)}`, ...made].join('\n');
    const name =
      barWidth > step.length * 6
        ? `<text x="${round(x + 4)}" y="${row * rowHeight + 20}" class="in">${visibleXml(step)}</text>`
        : '';
    return [
      `<g><title>${visibleXml(about)}</title><rect class="bar ${result}" x="${round(x)}" y="${row * rowHeight + 7}" width="${round(barWidth)}" height="${barHeight}" rx="3"/>${name}</g>`,
    ];
  });
  const border = steps
    .filter(({ step }) => step === 'moving')
    .map(({ startMs }) => {
      const x = round(left + scale.at(startMs));
      return `<g><title>The point of no return</title><line class="border" x1="${x}" x2="${x}" y1="0" y2="${height - 34}"/></g>`;
    });
  const ticks = scale
    .ticks(64)
    .map(
      ({ ms, at }) =>
        `<text class="tick" x="${round(left + at)}" y="${height - 12}">${formatDuration(ms)}</text>`,
    );
  return `<svg role="img" aria-label="Steps of every VM over time" width="${round(width)}" height="${height}">${[...labels, ...bars, ...border, ...ticks].join('')}</svg>`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
