/** One mistake in a file, and how it is printed. */
import { sanitize } from '../errors/sanitize.ts';
import { pathInWords } from './path-in-words.ts';
import { shorten } from './wording.ts';

export interface Finding {
  /** The dotted path: `spec.memory`, `spec.attributes.0`. It is empty for the file as a whole. */
  readonly field: string;
  /** A clause that follows the field: `is missing`. */
  readonly problem: string;
  readonly place: Place;
}

/** Line and column count from 1. The column counts UTF-16 units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** How many characters the caret underlines. */
  readonly length: number;
}

/** `file:line:col`. */
export function formatPlace(path: string, place: Place): string {
  return `${pathInWords(path)}:${place.line}:${place.column}`;
}

/**
 * Gives three lines: `file:line:col: field: problem`, the source line, a caret under the value.
 * Whatever comes from the file is sanitized, so only the two line ends are real.
 */
export function formatFinding(path: string, finding: Finding, sourceLine: string): string {
  const subject = finding.field === '' ? '' : `${sanitize(finding.field)}: `;
  const headline = `${formatPlace(path, finding.place)}: ${subject}${sanitize(finding.problem)}`;
  return [headline, ...excerpt(finding.place, sourceLine)].join('\n');
}

/** A source line that is longer than this is shown from just before the value. */
const widestExcerpt = 100;

function excerpt(place: Place, sourceLine: string): string[] {
  const start = place.column - 1;
  const cut = start > widestExcerpt - 20 ? start - 20 : 0;
  const before = (cut === 0 ? '' : '…') + sanitize(sourceLine.slice(cut, start));
  const under = sanitize(sourceLine.slice(start, start + Math.max(1, place.length)));
  const after = sanitize(sourceLine.slice(start + place.length));
  const gutter = String(place.line).padStart(5);
  const room = Math.max(1, widestExcerpt - before.length);
  const shown = `${before}${shorten(under + after, room)}`;
  return [
    `${gutter} | ${shown}`.trimEnd(),
    `${' '.repeat(gutter.length)} | ${blank(before)}${'^'.repeat(caretWidth(under, room))}`,
  ];
}

function caretWidth(text: string, room: number): number {
  return Math.max(1, blank(shorten(text, room)).length);
}

const wide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u;

/** Gives spaces as wide as the text on a terminal; tabs stay tabs. */
function blank(text: string): string {
  return Array.from(text, (char) => (char === '\t' ? '\t' : wide.test(char) ? '  ' : ' ')).join('');
}
