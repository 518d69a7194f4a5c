/**
 * Every page does these things with its document. All text is set as text, so no markup comes from
 * data.
 */

/** Reads what the server side has put into the page for its script (page/document.ts). */
export function readData<Data>(): Data {
  return JSON.parse(part('data', HTMLScriptElement).text);
}

/** Gives an element that the document is known to have. */
export function part<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`this page has no ${kind.name} with the id ${id}`);
}

type Content = string | Node | readonly (string | Node)[];

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  content: Content = [],
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...(typeof content === 'string' || content instanceof Node ? [content] : content));
  return made;
}

/** Names of the kernel are long: they may be broken after each of their words, and nowhere else. */
export function breakable(text: string): (string | Node)[] {
  return text
    .split(/(?<=_)/)
    .flatMap((part, at) => (at === 0 ? [part] : [document.createElement('wbr'), part]));
}

export function makeSvg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>> = {},
  text = '',
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = text;
  return made;
}

/** Gives the groups of a chart that carry this data attribute, by its value. */
export function byDataset(svg: SVGSVGElement, name: string): Map<string, SVGGraphicsElement> {
  const found = svg.querySelectorAll<SVGGraphicsElement>(`[data-${name}]`);
  return new Map([...found].map((group) => [group.dataset[name] ?? '', group]));
}
