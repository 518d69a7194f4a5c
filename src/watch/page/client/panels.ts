/** Below the charts stand the steps with their times, and the event log. */
import { breakable, make, part } from '../../../visualize/page/client/dom.ts';
import type { EventMessage } from '../../messages.ts';
import { formatDuration, formatMs } from './facts.ts';
import type { RunEvent } from './model.ts';

/** A page with more rows than this gets slow. The record of the run has all of them. */
const mostRows = 1000;
const log = part('log', HTMLElement);
export const filter = part('filter', HTMLInputElement);

type StepEnded = Extract<RunEvent, { event: 'step.ended' }>;

export function appendRows(messages: readonly EventMessage[]): void {
  const steps = messages.flatMap((message) => {
    const { event } = message;
    return event.event === 'step.ended' ? [stepRow(message, event)] : [];
  });
  append(part('steps', HTMLElement), part('steps-scroll', HTMLElement), steps);
  append(log, part('log-scroll', HTMLElement), messages.map(logRow));
}

/** The newest row stays in sight, unless someone has scrolled up to read. */
function append(list: HTMLElement, scroller: HTMLElement, rows: readonly HTMLElement[]): void {
  if (rows.length === 0) return;
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
  list.append(...rows.slice(-mostRows));
  while (list.childElementCount > mostRows) list.firstElementChild?.remove();
  if (isAtEnd) scroller.scrollTop = scroller.scrollHeight;
}

/** The lists get smaller when something else is shown beside them. */
export function stayAtEnd(): void {
  for (const id of ['steps-scroll', 'log-scroll']) {
    const scroller = part(id, HTMLElement);
    const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    if (below < 100) scroller.scrollTop = scroller.scrollHeight;
  }
}

const marks = { done: '✓', skipped: '·', failed: '✗', interrupted: '–' } as const;

function stepRow({ lane, atMs }: EventMessage, event: StepEnded): HTMLElement {
  const cells: (string | (string | Node)[])[] = [
    formatMs(atMs - event.durationMs),
    lane,
    `${marks[event.result]} ${event.step}`,
    formatDuration(event.durationMs),
    breakable(event.requests.map(requestWords).join(', ')),
  ];
  const className = event.result === 'done' || event.result === 'skipped' ? '' : 'failed';
  return make(
    'tr',
    cells.map((cell) => make('td', cell)),
    { className },
  );
}

function requestWords({ request, answer, count }: StepEnded['requests'][number]): string {
  const times = count > 1 ? ` ×${count}` : '';
  return `${request}${times}${answer === 'ok' ? '' : ` → ${answer}`}`;
}

function logRow({ lane, atMs, event }: EventMessage): HTMLElement {
  const text = `${formatMs(atMs).padStart(11)}  ${lane}  ${eventWords(event)}`;
  const row = make('li', breakable(text), { className: isBad(event) ? 'failed' : '' });
  row.hidden = !isWanted(row);
  return row;
}

function isBad(event: RunEvent): boolean {
  const failed = 'result' in event && event.result === 'failed';
  return failed || event.event === 'guest.panicked' || ('error' in event && Boolean(event.error));
}

function eventWords(event: RunEvent): string {
  switch (event.event) {
    case 'state.entered':
      return `→ ${event.state}`;
    case 'step.progress':
      return `${event.step} ${event.done}/${event.total} ${event.unit}`;
    case 'step.ended':
      return `${event.step} ${event.result} after ${formatDuration(event.durationMs)}`;
    case 'resource.released':
      return `released ${event.what}${because(event)}`;
    case 'request.answered':
      return `${event.request} → ${event.answer}`;
    case 'td.finalized':
      return `finalized, MRTD ${event.mrtd ?? 'unknown'}`;
    case 'td.warning':
    case 'migration.warning':
      return `warning: ${event.message}`;
    case 'guest.ended':
      return `the guest ended: ${event.message}`;
    case 'guest.panicked':
      return `the guest panicked: ${event.text}`;
    case 'td.ended':
      return `ended: ${event.outcome}${because(event)}`;
    case 'migration.ended':
      return `ended: ${event.verdict}${because(event)}`;
  }
}

function because({ error }: { readonly error?: { readonly message: string } | null }): string {
  return error ? `: ${error.message}` : '';
}

function isWanted(row: Element): boolean {
  return row.textContent?.toLowerCase().includes(filter.value.trim().toLowerCase()) === true;
}

filter.addEventListener('input', () => {
  for (const row of log.querySelectorAll('li')) row.hidden = !isWanted(row);
});
