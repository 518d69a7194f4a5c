/** What a guest may have left of a terminal that it was attached to, and how it is put right. */
import type { CommandIo } from '../../io.ts';

const ESC = '\u001b';
const CSI = `${ESC}[`;

/**
 * Sequences of ECMA-48, DEC and xterm; a terminal passes over those that it does not know. They are the same whatever
 * the guest did, because nobody has looked.
 */
const reset = [
  '\u0018', // CAN ends a sequence that was begun,
  `${ESC}\\`, // and ST a string, such as a title.
  `${CSI}!p`, // DECSTR, the soft reset; what follows is for terminals without it
  `${CSI}?2026l`, // what is held back is shown
  `${CSI}?1047l`, // the normal screen
  `\u000f${ESC}(B`, // ASCII
  `${CSI}0m`, // no colours
  `${CSI}4l`, // text replaces, and is not inserted
  `${CSI}20l`, // a line feed is no new line
  `${CSI}?5l`, // not reversed
  `${CSI}?6l${CSI}?69l${CSI}r`, // the whole screen scrolls
  `${CSI}?7h`, // lines wrap
  `${CSI}?25h${CSI}0 q`, // the cursor is seen, in its own form
  `${CSI}?1l${ESC}>`, // cursor keys and keypad
  `${CSI}>4m${CSI}=0u`, // keys are told as xterm does by default
  ...[9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016].map((mode) => `${CSI}?${mode}l`), // mouse and focus
  `${CSI}?2004l`, // pasted text is not marked; a shell asks for it anew
  `${ESC}]104${ESC}\\${ESC}]110${ESC}\\${ESC}]111${ESC}\\${ESC}]112${ESC}\\`, // colours of the palette
  `${CSI}23;0t`, // the title that was put by
  `${CSI}9999;1H${CSI}K\n`, // a new line at the bottom: several of these move the cursor
].join('');

/** The title is put by, and comes back with {@link leaveScreen}. */
export function enterScreen(io: CommandIo): void {
  if (understandsSequences(io)) io.stdout.write(`${CSI}22;0t`);
}

export function leaveScreen(io: CommandIo): void {
  if (understandsSequences(io)) io.stdout.write(reset);
}

function understandsSequences({ widths, env }: CommandIo): boolean {
  return widths.stdout !== undefined && env.TERM !== 'dumb';
}
