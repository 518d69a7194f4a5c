/** Text within XML: what is not allowed there is made visible, what has a meaning is escaped. */
import { sanitize } from '../errors/sanitize.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for quoted attributes. Keeps line ends and everything else XML can carry. */
export function escapeXml(text: string): string {
  return replaceForbidden(text)
    .replace(/[&<>"']/g, (char) => entities[char] ?? char)
    .replace(/[\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** For what a person reads: one line, control and direction characters visible. */
export function visibleXml(text: string): string {
  return escapeXml(sanitize(text));
}

/** XML 1.0 has no way to write these, not even as references: a lone surrogate, NUL, U+FFFE. */
function replaceForbidden(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '\ufffd');
}
