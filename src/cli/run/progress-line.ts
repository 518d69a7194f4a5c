import type { CommandIo } from '../io.ts';

interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

export interface ProgressLine {
  show(progress: Progress): void;
  clear(): void;
}

const CLEAR_LINE = '\r\x1b[2K';
const REDRAW_EVERY_MS = 50;

/** One line on a terminal that is redrawn in place; nothing where stderr is not one. */
export function progressLine(io: CommandIo): ProgressLine {
  if (!io.stderrIsTty) return { show: () => undefined, clear: () => undefined };
  let shown = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    show: ({ step, done, total, unit }) => {
      const now = performance.now();
      if (now - drawnAt < REDRAW_EVERY_MS) return;
      drawnAt = now;
      shown = true;
      io.stderr.write(`${CLEAR_LINE}  … ${step} ${done} of ${total} ${unit}`);
    },
    clear: () => {
      if (shown) io.stderr.write(CLEAR_LINE);
      shown = false;
    },
  };
}
