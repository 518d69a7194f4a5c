/**
 * The elements of a picture are XML. What is inside of one is XML already; all else is escaped here.
 */
import { escapeXml, visibleXml } from '../../documents/xml.ts';

/** An attribute of undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

export function element(
  name: string,
  attributes: Attributes,
  inside?: string | readonly string[],
): string {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${attributeText(value)}"`,
  );
  const opening = `<${name}${written.join('')}`;
  if (inside === undefined) return `${opening}/>`;
  return `${opening}>${typeof inside === 'string' ? inside : inside.join('')}</${name}>`;
}

/** The words may come from anywhere, and are put in one line. */
export function text(words: string, attributes: Attributes): string {
  return element('text', attributes, visibleXml(words));
}

function attributeText(value: string | number): string {
  return typeof value === 'number' ? number(value) : escapeXml(value);
}

/** Two decimals are enough for a screen, and keep files small and equal across machines. */
export function number(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}
