/** Words values that come from the file, for findings. */

const longestQuote = 48;

/** Puts text of the file in double quotes, and shortens it. */
export function quote(text: string): string {
  return `"${shorten(text)}"`;
}

/** Gives `the text "4"`, `the number 4`, `true`, `a list`, `a map`. */
export function describeValue(value: unknown): string {
  if (value === null) return 'empty';
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'empty text' : `the text ${quote(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'bigint') return `the number ${shorten(value.toString())}`;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}

/** Joins words to `a, b or c`. */
export function oneOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

export function shorten(text: string, length = longestQuote): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
