import { textWidth, wrapAtBlanks } from './text-width.ts';

/** A hash is broken into equal groups, which can be compared line by line. */
const hash = /[0-9a-f]{64,}/gi;
const groups = [96, 64, 48, 32, 16];

/**
 * Breaks text at blanks so that no line is wider than `width`, but for single words that are: a path or
 * a name that is broken could not be copied. Colours go on in the next line.
 */
export function wrap(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const grouped = text.replace(hash, (digits) => inGroups(digits, width));
  return wrapAtBlanks(grouped, Math.max(width, 1));
}

function inGroups(digits: string, width: number): string {
  if (digits.length <= width) return digits;
  const size = groups.find((each) => each <= width && digits.length % each === 0) ?? 16;
  return digits.match(new RegExp(`.{${size}}`, 'g'))?.join(' ') ?? digits;
}

/** The width of the widest word that {@link wrap} leaves whole. */
export function longestWord(text: string): number {
  const words = text.replace(hash, (digits) => digits.slice(0, 32)).split(/\s+/);
  return Math.max(...words.map((word) => textWidth(word)));
}
