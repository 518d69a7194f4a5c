/**
 * Any text becomes a name of letters, digits, `-` and `_`, and can be read back, for formats whose ids
 * allow no more. Other characters become `_xHEX_`; names that need nothing stay as they are.
 */
export function encodeName(text: string): string {
  if (text === '') return '_x_';
  return text.replace(/[^A-Za-z0-9_-]|_(?=x)|^[0-9-]/gu, (char) => {
    return `_x${(char.codePointAt(0) ?? 0).toString(16)}_`;
  });
}

export function decodeName(name: string): string {
  return name.replace(/_x([0-9a-f]*)_/g, (_, hex: string) =>
    hex === '' ? '' : String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}
