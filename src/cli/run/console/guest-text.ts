/**
 * What a guest prints, among the lines of a run: each line is visibly the guest's, wherever the terminal breaks it,
 * and nothing in it is an instruction to the terminal.
 */
import { type ConsoleLine, ConsoleLines } from '../../../guest/index.ts';
import type { CommandIo } from '../../io.ts';
import { paint } from '../../output/paint.ts';
import { sanitize } from '../../output/sanitize.ts';
import { cutAtWidth, textWidth } from '../../output/text-width.ts';
import { count } from '../../output/units.ts';
import { Pump } from './pump.ts';

/** The beginning of a line that has no end is shown after so long, as a prompt has none. */
const quietMs = 100;
const tabColumns = 8;
const narrowest = 8;

export interface GuestTextOptions {
  readonly io: CommandIo;
  /** Stands before each line, and before what goes on with one. */
  readonly marks: { readonly line: string; readonly goesOn: string };
  /** Whose bytes are missing, where some are. */
  readonly of: string;
  /** Is called before anything is written. */
  readonly beforeWriting: () => void;
}

export interface GuestText {
  add(bytes: Uint8Array, lostBytes: number): void;
  /** Shows what there is, also of a line that has no end. */
  flush(): void;
}

export function guestText({ io, marks, of, beforeWriting }: GuestTextOptions): GuestText {
  const colors = paint(io.colors.stdout);
  const width = io.widths.stdout;
  const lines = new ConsoleLines();
  let quiet: NodeJS.Timeout | undefined;

  const write = (shown: readonly ConsoleLine[]) => {
    if (shown.length === 0) return;
    beforeWriting();
    const rows = shown.flatMap(({ text, goesOn }) =>
      rowsOf(text, width && width - marks.line.length).map((row, at) => {
        const mark = at === 0 && !goesOn ? marks.line : marks.goesOn;
        return `${colors.dim(mark)}${row}\n`;
      }),
    );
    io.stdout.write(rows.join(''));
  };
  const pump = new Pump(io.stdout, ({ lostBytes, bytes }) => {
    clearTimeout(quiet);
    if (lostBytes > 0) {
      write(lines.openLine());
      beforeWriting();
      const lost = `${count(lostBytes, 'byte')} of the ${of} are missing here: they came faster than they were read`;
      io.stdout.write(`  ${colors.yellow('!')} ${lost}\n`);
    }
    write(lines.add(bytes));
    quiet = setTimeout(() => write(lines.openLine()), quietMs).unref();
  });
  return {
    add: (bytes, lostBytes) => {
      pump.push(bytes, 0);
      if (lostBytes > 0) pump.push(new Uint8Array(), lostBytes);
    },
    flush() {
      pump.flush();
      clearTimeout(quiet);
      write(lines.openLine());
    },
  };
}

/** @param width undefined where nothing is broken into rows */
function rowsOf(text: string, width: number | undefined): string[] {
  const safe = withoutTabs(sanitize(text));
  if (width === undefined || textWidth(safe) <= width) return [safe];
  return cutAtWidth(safe, Math.max(width, narrowest));
}

/** How far a tab goes depends on what stands before it on the screen, where the guest's line has a mark. */
function withoutTabs(text: string): string {
  const [first = '', ...rest] = text.split('\t');
  return rest.reduce((before, part) => {
    const blanks = tabColumns - (textWidth(before) % tabColumns);
    return before + ' '.repeat(blanks) + part;
  }, first);
}
