/** What the timeline says of moves: the point of no return as a line, and the blackout as a band. */
import { visibleXml } from '../../../documents/xml.ts';
import type { ReportedRun } from '../../../rehearsal/index.ts';
import type { TimeScale } from '../../../visualize/page/client/time-scale.ts';
import { formatDuration } from '../../output/units.ts';
import { percent, place } from './places.ts';

interface Mark {
  readonly kind: 'border' | 'blackout';
  readonly from: number;
  readonly to: number;
  readonly words: string;
  /** Which move it is of. */
  readonly of: string;
}

/** Words closer than this to those before them are left to the tooltip, in pixels at natural width. */
const wordsRoom = 190;
/** From here on the words stand to the left of their mark. */
const turned = 0.6;

export function timelineMarks(
  run: ReportedRun,
  scale: TimeScale,
): { readonly labels: string; readonly lines: string } {
  const marks = [...blackouts(run, scale), ...borders(run, scale)];
  const rows = (['blackout', 'border'] as const).map((kind) =>
    labelRow(
      marks.filter((mark) => mark.kind === kind),
      scale,
    ),
  );
  const lines = marks.map(
    (mark) => `<span class="${mark.kind}" style="${place(mark)}" title="${titleOf(mark)}"></span>`,
  );
  return { labels: rows.join('\n'), lines: lines.join('') };
}

/** The chart's `moving` is where nothing can be taken back any more. */
function borders({ steps }: ReportedRun, scale: TimeScale): Mark[] {
  return steps
    .filter(({ step }) => step === 'moving')
    .map(({ lane, startMs }) => {
      const at = scale.after(startMs);
      return { kind: 'border', from: at, to: at, words: 'point of no return', of: lane };
    });
}

function blackouts({ blackouts: all, steps }: ReportedRun, scale: TimeScale): Mark[] {
  return all.flatMap(({ td, hop, ms }): Mark[] => {
    const of = `${td} move ${hop}`;
    const begin = steps.find(({ lane, step }) => lane === of && step === 'pausingSource');
    if (begin === undefined) return [];
    const [from, to] = [scale.before(begin.startMs), scale.before(begin.startMs + ms)];
    return [{ kind: 'blackout', from, to, words: `blackout ${formatDuration(ms)}`, of }];
  });
}

function labelRow(marks: readonly Mark[], scale: TimeScale): string {
  if (marks.length === 0) return '';
  let free = 0;
  const labels = marks
    .toSorted((one, other) => one.from - other.from)
    .map((mark) => {
      const { kind, from, to, words } = mark;
      if (from * scale.width < free) return '';
      free = from * scale.width + wordsRoom;
      const side = from > turned ? `right:${percent(1 - to)}` : `left:${percent(from)}`;
      return `<span class="words ${kind}" style="${side}" title="${titleOf(mark)}">${words}</span>`;
    });
  return `<div class="row marks"><div class="lane"></div><div class="track">${labels.join('')}</div></div>`;
}

function titleOf({ words, of }: Mark): string {
  return visibleXml(`${of}: ${words}`);
}
