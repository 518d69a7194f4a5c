/**
 * The run over time: a lane for each VM and each move with its steps as boxes, then the key slots, all
 * on one scale. Places are shares of the width, so the picture is as wide as its window; the client
 * zooms by making it wider.
 */
import { visibleXml } from '../../../documents/xml.ts';
import type { ReportedRun } from '../../../rehearsal/index.ts';
import { TimeScale } from '../../../visualize/page/client/time-scale.ts';
import { formatDuration } from '../../output/units.ts';
import { percent, place } from './places.ts';
import { slotsRow } from './slots-row.ts';
import { timelineMarks } from './timeline-marks.ts';

type Step = ReportedRun['steps'][number];
export interface NumberedStep extends Step {
  readonly number: number;
}

/** More lanes than this would be a table, and no picture. */
const mostLanes = 24;
/** So many steps are told in short below the picture; the list has all of them. */
const mostInKey = 60;

export function timelineHtml(run: ReportedRun): string {
  const steps = run.steps.map((step, index) => ({ ...step, number: index + 1 }));
  const lanes = [...new Set(steps.map(({ lane }) => lane))];
  const shown = lanes.slice(0, mostLanes);
  const scale = scaleOf(run);
  const rows = shown.map((lane) => laneRow(lane, { steps, scale }));
  const left = lanes.length - shown.length;
  const more = left > 0 ? `<p class="note">${left} more lanes are in the list below.</p>` : '';
  const { labels, lines } = timelineMarks(run, scale);
  return `<div class="timeline" id="timeline" tabindex="0" role="group" aria-label="Steps of every VM, and key slots, over time">
<div class="plot" id="plot" style="--natural:${Math.ceil(scale.width)}px">
<div class="lines">${lines}</div>
${labels}
${rows.join('\n')}
${slotsRow(run, scale)}
${axisRow(scale)}
</div></div>
${more}${steps.length > mostInKey ? '' : keyList(steps)}${stepList(steps)}`;
}

function scaleOf({ steps, slots, elapsedMs }: ReportedRun): TimeScale {
  const instants = new Map<number, Map<string, number>>();
  for (const { lane, startMs, endMs } of steps) {
    if (startMs !== endMs) continue;
    const lanes = instants.get(startMs) ?? new Map<string, number>();
    instants.set(startMs, lanes.set(lane, (lanes.get(lane) ?? 0) + 1));
  }
  const times = steps.flatMap(({ startMs, endMs }) => [startMs, endMs]);
  const ofSlots = slots.samples.map(({ atMs }) => atMs);
  return new TimeScale([0, ...times, ...ofSlots, elapsedMs], (atMs) =>
    Math.max(0, ...(instants.get(atMs)?.values() ?? [])),
  );
}

function laneRow(
  lane: string,
  { steps, scale }: { readonly steps: readonly NumberedStep[]; readonly scale: TimeScale },
): string {
  const own = steps.filter((step) => step.lane === lane);
  const boxes = own.map((step) => box(step, placeOf(step, { own, scale })));
  return row(visibleXml(lane), boxes.join(''));
}

/** What takes no time stands side by side where its time is. */
function placeOf(
  step: NumberedStep,
  { own, scale }: { readonly own: readonly NumberedStep[]; readonly scale: TimeScale },
): { readonly from: number; readonly to: number } {
  const { startMs, endMs } = step;
  if (startMs !== endMs) return { from: scale.after(startMs), to: scale.before(endMs) };
  const beside = own.filter((other) => other.startMs === startMs && other.endMs === startMs);
  const [from, to] = [scale.before(startMs), scale.after(startMs)];
  const each = (to - from) / beside.length;
  const index = beside.indexOf(step);
  return { from: from + index * each, to: from + (index + 1) * each };
}

/** The name gives way to the number where the box has no room for it: it wraps out of sight. */
function box(step: NumberedStep, span: { readonly from: number; readonly to: number }): string {
  const { number, step: name, result, startMs, endMs, requests } = step;
  const made = requests.map(({ request, answer, count }) => `${request} ×${count}: ${answer}`);
  const about = [`${number} ${name}, ${result}, ${formatDuration(endMs - startMs)}`, ...made];
  const title = about.map(visibleXml).join('&#10;');
  return `<span class="step ${result}" style="${place(span)}" title="${title}"><b>${number}</b><span>${visibleXml(name)}</span></span>`;
}

function axisRow(scale: TimeScale): string {
  const ticks = scale
    .ticks(70 / Math.max(scale.width, 70))
    .map(({ ms, at }) => `<span style="left:${percent(at)}">${formatDuration(ms)}</span>`);
  const end = `<span class="end">${formatDuration(scale.endMs)}</span>`;
  return row('time', `${ticks.join('')}${end}`, 'axis');
}

export function row(name: string, track: string, className = ''): string {
  return `<div class="row ${className}"><div class="lane" title="${name}">${name}</div><div class="track">${track}</div></div>`;
}

function keyList(steps: readonly NumberedStep[]): string {
  const items = steps.map(
    ({ number, step, result, startMs, endMs }) =>
      `<li class="${result}"><b>${number}</b><span>${visibleXml(named(step, result))}</span><span>${formatDuration(endMs - startMs)}</span></li>`,
  );
  return `<ol class="key">${items.join('')}</ol>`;
}

function stepList(steps: readonly NumberedStep[]): string {
  const rows = steps.map(({ number, lane, step, result, startMs, endMs, requests }) => {
    const made = requests.map(({ request, answer, count }) => `${request} ×${count}: ${answer}`);
    const cells = [
      String(number),
      visibleXml(lane),
      visibleXml(named(step, result)),
      formatDuration(startMs),
      formatDuration(endMs - startMs),
      breakable(visibleXml(made.join(', '))),
    ];
    return `<tr class="${result}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const heads = ['', 'lane', 'step', 'at', 'took', 'requests'].map((head) => `<th>${head}</th>`);
  return `<details class="steps"><summary>All ${steps.length} steps with their requests</summary><div class="wide"><table><thead><tr>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`;
}

function named(step: string, result: NumberedStep['result']): string {
  return result === 'done' ? step : `${step} (${result})`;
}

/** A name of the kernel may be broken after each of its words, and nowhere else. */
function breakable(html: string): string {
  return html.replaceAll('_', '_<wbr>');
}
