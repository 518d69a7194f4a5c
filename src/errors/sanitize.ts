/**
 * What can make a line read as another: controls, format characters (directions, tags, what is invisible), line
 * and paragraph separators, halves of a surrogate pair. A tab is harmless, and the two joiners are spelling in
 * several scripts.
 */
const unsafe = /(?![\t\p{Join_Control}])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes one line of text from a guest, a file or a device safe to print: control characters,
 * line ends and escape sequences become `\u{xx}`, so that what was there can still be seen.
 */
export function sanitize(text: string): string {
  return text.replace(unsafe, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
