/** Prepares text for XML: what XML forbids is made visible, what has a meaning is escaped. */
import { sanitize } from '../errors/sanitize.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** This serves text and quoted attributes. It keeps line ends and everything else XML can carry. */
export function escapeXml(text: string): string {
  return replaceForbidden(text)
    .replace(/[&<>"']/g, (char) => entities[char] ?? char)
    .replace(/[\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** This serves what a person reads: one line, with control and direction characters visible. */
export function visibleXml(text: string): string {
  return escapeXml(sanitize(text));
}

/** XML 1.0 cannot write these, not even as references: a lone surrogate, NUL, U+FFFE. */
function replaceForbidden(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '\ufffd');
}
