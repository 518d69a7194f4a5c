/** Widths of text are measured so that a box is as large as what stands in it. */
import { fontWidths } from './font-widths.ts';

/**
 * The fonts are metric-compatible with one another; the last is for machines that have none of them.
 */
export const fontFamily = "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif";

export interface Font {
  /** Pixels. */
  readonly size: number;
  readonly weight: 'regular' | 'bold';
}

/** Gives the width in pixels, rounded up, because too wide a box looks better than too narrow a one. */
export function textWidth(text: string, { size, weight }: Font): number {
  let thousandths = 0;
  for (const char of text) thousandths += charWidth(char.codePointAt(0) ?? 0, weight);
  return Math.ceil((thousandths * size) / 1000);
}

const printableAscii = 0x20;
const latin1 = 0xa0;

function charWidth(code: number, weight: Font['weight']): number {
  const ascii = fontWidths[weight][code - printableAscii];
  if (ascii !== undefined) return ascii;
  const latin = fontWidths[weight === 'bold' ? 'boldLatin1' : 'regularLatin1'][code - latin1];
  if (latin !== undefined) return latin;
  return isCombining(code) ? 0 : isWide(code) ? 1100 : unknownWidth(code);
}

function isCombining(code: number): boolean {
  return /^[\p{Mn}\p{Me}\p{Cf}]$/u.test(String.fromCodePoint(code));
}

/** Han, kana, hangul, full-width forms and pictographs fill a square. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f000
  );
}

/**
 * Other scripts come from a fall-back font, so the wide end of their widths is taken. Arrows and dashes
 * have 1 em.
 */
function unknownWidth(code: number): number {
  return code >= 0x2000 && code <= 0x2bff ? 1000 : 750;
}

/** Shortens text to a width, with an ellipsis, at whole characters. */
export function fitText(text: string, { font, width }: { font: Font; width: number }): string {
  if (textWidth(text, font) <= width) return text;
  const room = width - textWidth('…', font);
  let kept = '';
  let used = 0;
  for (const char of text) {
    used += textWidth(char, font);
    if (used > room) break;
    kept += char;
  }
  return `${kept.trimEnd()}…`;
}
