/**
 * How many columns a terminal takes for text. string-width knows, but making ready to tell emoji apart takes
 * it a third of the time in which Node starts. It is loaded when there is a character that it is needed for.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Each takes one column, whatever is before and after: ASCII, Latin, punctuation, arrows, signs, lines. */
export const narrowCharacters = String.raw`\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u21ff\u2200-\u22ff\u2500-\u25fc\u2713-\u2718`;
const narrow = new RegExp(`^[${narrowCharacters}]*$`);

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colour = /\u001b\[[0-9;]*m/g;

export function textWidth(text: string): number {
  const plain = text.replace(colour, '');
  return narrow.test(plain) ? plain.length : anyWidth(text);
}

function anyWidth(text: string): number {
  const { default: stringWidth } = require('string-width') as typeof import('string-width');
  return stringWidth(text);
}

/** Breaks text at blanks, and keeps its colours: wrap-ansi, which needs string-width. */
export function wrapAtBlanks(text: string, width: number): string {
  const { default: wrapAnsi } = require('wrap-ansi') as typeof import('wrap-ansi');
  return wrapAnsi(text, width);
}
