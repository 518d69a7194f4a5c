/**
 * How many columns text takes on a terminal, and where it breaks. string-width and wrap-ansi know, but making
 * ready to tell emoji apart takes them a third of the time in which Node starts. They are loaded for text that
 * needs them; for all other text, what is here says the same.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Each takes one column, whatever is before and after: ASCII, Latin, punctuation, arrows, signs, lines. */
const narrow =
  /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25fc\u2713-\u2718]*$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colour = /\u001b\[[0-9;]*m/g;

export function textWidth(text: string): number {
  if (narrow.test(text)) return text.length;
  const plain = text.replace(colour, '');
  if (narrow.test(plain)) return plain.length;
  const { default: stringWidth } = require('string-width') as typeof import('string-width');
  return stringWidth(text);
}

/** Breaks text at blanks into lines that are no wider, but for single words that are. Colours go on in the next line. */
export function wrapAtBlanks(text: string, width: number): string[] {
  if (narrow.test(text)) return wrapNarrow(text, width);
  const { default: wrapAnsi } = require('wrap-ansi') as typeof import('wrap-ansi');
  return wrapAnsi(text, width).split('\n');
}

/** Cuts text into rows that are full, as a terminal does, whatever the words are. */
export function cutAtWidth(text: string, width: number): string[] {
  if (narrow.test(text)) return text.match(new RegExp(`.{1,${width}}`, 'g')) ?? [text];
  const { default: wrapAnsi } = require('wrap-ansi') as typeof import('wrap-ansi');
  return wrapAnsi(text, width, { hard: true, trim: false, wordWrap: false }).split('\n');
}

function wrapNarrow(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '') line += ' ';
    if (line !== '' && word !== '' && line.length + word.length > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
  }
  return [...lines, line.trimEnd()];
}
