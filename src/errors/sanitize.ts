// C0 and C1 controls, DEL and bidirectional overrides can make a line read as another.
// biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the purpose
const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes one line of text from a guest, a file or a device safe to print: control characters,
 * line ends and escape sequences become `\u{xx}`, so that what was there can still be seen.
 */
export function sanitize(text: string): string {
  return text.replace(unsafe, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}
