/** How far a long rehearsal is: a line that is redrawn on a terminal, and lines one after the other elsewhere. */
import type { CommandIo } from '../io.ts';
import { formatDuration } from '../output/units.ts';

export interface Progress {
  /** What is being done from here on, such as the name of a kernel. */
  begin(what: string): void;
  show(done: number, of: { readonly total: number; readonly unit: string }): void;
  /** Takes the line away. */
  end(): void;
}

type Clock = () => number;
type Sink = Pick<CommandIo, 'stderr' | 'stderrIsTty'>;

export function progressOf(io: Sink, now: Clock = () => performance.now()): Progress {
  return io.stderrIsTty ? redrawnLine(io, now) : lines(io, now);
}

const redrawEveryMs = 100;
const clearLine = '\r\u001b[K';

function redrawnLine({ stderr }: Sink, now: Clock): Progress {
  let part = new Part('', now());
  let shownAt: number | undefined;
  return {
    begin: (what) => {
      part = new Part(what, now());
    },
    show: (done, { total, unit }) => {
      const at = now();
      if (at - (shownAt ?? part.startedAt) < redrawEveryMs) return;
      shownAt = at;
      stderr.write(`${clearLine}${part.text({ done, total, unit, at })}`);
    },
    end: () => {
      if (shownAt !== undefined) stderr.write(clearLine);
      shownAt = undefined;
    },
  };
}

/** What ends sooner says nothing, so that the log of a CI stays short. */
export const quietForMs = 5_000;
/** After that there is a line this often, so that nobody takes the run for hung … */
export const lineEveryMs = 10_000;
/** … and at each tenth of the way, where the last line is not just above. */
export const leastBetweenMs = 1_000;

function lines({ stderr }: Sink, now: Clock): Progress {
  const startedAt = now();
  let part = new Part('', startedAt);
  let shownAt = startedAt;
  let tenths = 0;
  return {
    begin: (what) => {
      part = new Part(what, now());
      tenths = 0;
    },
    show: (done, { total, unit }) => {
      const at = now();
      const reached = Math.floor((10 * done) / total);
      const isDue = at - shownAt >= lineEveryMs;
      const isTenth = reached > tenths && at - shownAt >= leastBetweenMs;
      tenths = Math.max(tenths, reached);
      if (at - startedAt < quietForMs || !(isDue || isTenth)) return;
      shownAt = at;
      stderr.write(`${part.text({ done, total, unit, at })}\n`);
    },
    end: () => undefined,
  };
}

/** One of the things that are done one after the other; the time left is that of this one. */
class Part {
  readonly startedAt: number;
  readonly #what: string;

  constructor(what: string, startedAt: number) {
    this.#what = what;
    this.startedAt = startedAt;
  }

  text(shown: { done: number; total: number; unit: string; at: number }): string {
    const { done, total, unit, at } = shown;
    const label = this.#what === '' ? '' : `${this.#what}: `;
    // Where equal calls come out differently, more runs are played than were counted.
    const of = Math.max(done, total);
    const isBetween = done > 0 && done < of;
    const left = isBetween ? about(((at - this.startedAt) / done) * (of - done)) : '';
    return `${label}${done} of ${of} ${unit}${left}`;
  }
}

function about(leftMs: number): string {
  return `, about ${formatDuration(leftMs)} left`;
}
