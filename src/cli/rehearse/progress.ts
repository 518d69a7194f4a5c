/** How far a long rehearsal is: a line that is redrawn on a terminal, and lines one after the other elsewhere. */
import type { CommandIo } from '../io.ts';
import { formatDuration } from '../output/units.ts';

export interface Progress {
  /** What is being done from here on, such as the name of a kernel. */
  begin(what: string): void;
  show(done: number, of: Total): void;
  /** Takes the line away. */
  end(): void;
}

interface Total {
  readonly total: number;
  /** What is counted; another unit begins another count. */
  readonly unit: string;
}

type Clock = () => number;
type Sink = Pick<CommandIo, 'stderr' | 'stderrIsTty'>;

export function progressOf(io: Sink, now: Clock = () => performance.now()): Progress {
  return io.stderrIsTty ? redrawnLine(io, now) : lines(io, now);
}

const redrawEveryMs = 100;
const clearLine = '\r\u001b[K';

function redrawnLine({ stderr }: Sink, now: Clock): Progress {
  const counts = new Counts(now());
  let shownAt = now();
  let isShown = false;
  return {
    begin: (what) => counts.begin(what, now()),
    show: (done, of) => {
      const at = now();
      counts.countBy(of, at);
      if (at - shownAt < redrawEveryMs) return;
      shownAt = at;
      isShown = true;
      stderr.write(`${clearLine}${counts.text(done, of, at)}`);
    },
    end: () => {
      if (isShown) stderr.write(clearLine);
      isShown = false;
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
  const counts = new Counts(startedAt);
  let shownAt = startedAt;
  return {
    begin: (what) => counts.begin(what, now()),
    show: (done, of) => {
      const at = now();
      counts.countBy(of, at);
      const isTenth = counts.reachesTenth(done, of) && at - shownAt >= leastBetweenMs;
      const isDue = at - shownAt >= lineEveryMs;
      if (at - startedAt < quietForMs || !(isDue || isTenth)) return;
      shownAt = at;
      stderr.write(`${counts.text(done, of, at)}\n`);
    },
    end: () => undefined,
  };
}

/** What is counted one after the other; the time that is left is that of the count under way. */
class Counts {
  #what = '';
  #unit: string | undefined;
  #startedAt: number;
  #tenths = 0;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  begin(what: string, at: number): void {
    this.#what = what;
    this.#restart(undefined, at);
  }

  countBy({ unit }: Total, at: number): void {
    if (this.#unit !== unit) this.#restart(unit, at);
  }

  #restart(unit: string | undefined, at: number): void {
    // The first of a count is told once it is done, so the count began where the one before ended.
    this.#unit = unit;
    this.#startedAt = at;
    this.#tenths = 0;
  }

  /** Whether one more tenth of the way is behind. */
  reachesTenth(done: number, { total }: Total): boolean {
    const reached = Math.floor((10 * done) / total);
    const isNew = reached > this.#tenths;
    this.#tenths = Math.max(this.#tenths, reached);
    return isNew;
  }

  text(done: number, { total, unit }: Total, at: number): string {
    const label = this.#what === '' ? '' : `${this.#what}: `;
    // Where equal calls come out differently, more runs are played than were counted.
    const of = Math.max(done, total);
    const isBetween = done > 0 && done < of;
    const leftMs = ((at - this.#startedAt) / done) * (of - done);
    return `${label}${done} of ${of} ${unit}${isBetween ? `, about ${formatDuration(leftMs)} left` : ''}`;
  }
}
