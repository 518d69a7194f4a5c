/** Text for people, laid out for the terminal that it goes to. */
import type { CommandIo } from '../io.ts';
import { layOut } from './layout.ts';
import { sanitize } from './sanitize.ts';

export function print({ stdout, widths }: CommandIo, text: string): void {
  stdout.write(layOut(text, widths.stdout));
}

/** Says one line to whoever runs the command. It may hold names from outside. */
export function say({ stderr, widths }: CommandIo, line: string): void {
  stderr.write(`${layOut(sanitize(line), widths.stderr)}\n`);
}
