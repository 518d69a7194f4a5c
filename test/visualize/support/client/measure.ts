/**
 * Measures the page that it runs in, as it is laid out. https://www.w3.org/TR/WCAG22/#contrast-minimum has
 * the contrasts.
 */
import type { Measured, Wanted } from '../measured.ts';

/** This runs in the page, so it takes nothing from around it. */
export function measureHere(wanted: Wanted): Measured {
  type Color = readonly [red: number, green: number, blue: number, alpha: number];
  type Box = { left: number; right: number; top: number; bottom: number };
  const least = { text: 4.5, largeText: 3, mark: 3 };
  // What lies below a point is asked of all elements, also of those that let clicks through.
  const style = document.createElementNS('http://www.w3.org/1999/xhtml', 'style');
  style.textContent = '* { pointer-events: auto !important; }';
  (document.head ?? document.documentElement).append(style);
  const faults: string[] = [];
  const brush = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

  function colorOf(css: string): Color {
    if (brush === null) return [0, 0, 0, 0];
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = css;
    brush.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 0] = brush.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  }
  function over([r, g, b, a]: Color, [r2, g2, b2]: Color): Color {
    return [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
  }
  function luminance([r, g, b]: Color): number {
    const [red = 0, green = 0, blue = 0] = [r, g, b].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function contrast(one: Color, other: Color): number {
    const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }
  function paintOf(element: Element): Color {
    const css = getComputedStyle(element);
    const isShape = element instanceof SVGGeometryElement;
    const [r, g, b, a] = colorOf(isShape ? css.fill : css.backgroundColor);
    return [r, g, b, a * Number(isShape ? css.fillOpacity : 1) * Number(css.opacity)];
  }
  /** A row of a table is painted, and no point is ever said to lie in it. */
  function elementsAt(x: number, y: number): Element[] {
    return document
      .elementsFromPoint(x, y)
      .flatMap((each) =>
        each instanceof HTMLTableCellElement && each.parentElement !== null
          ? [each, each.parentElement]
          : [each],
      );
  }
  /** The colour below an element at a point: that of the paints one over the other. */
  function groundAt(x: number, y: number, element: Element): Color {
    const stack = elementsAt(x, y);
    const own = stack.indexOf(element);
    const below = own === -1 ? stack : stack.slice(own);
    let ground: Color = colorOf(getComputedStyle(document.documentElement).backgroundColor);
    if (ground[3] === 0) ground = colorOf('Canvas');
    for (const each of below.reverse()) {
      if (each === element && each instanceof SVGElement) continue;
      ground = over(paintOf(each), ground);
    }
    return ground;
  }
  /** The part of a box that no ancestor cuts off. */
  function inSight(box: Box, element: Element): Box {
    let { left, right, top, bottom } = box;
    for (let up: Element | null = element; up !== null; up = up.parentElement) {
      if (up === document.documentElement || up === document.body) break;
      const { overflowX, position } = getComputedStyle(up);
      if (overflowX !== 'visible' && !(up instanceof SVGGraphicsElement && up.ownerSVGElement)) {
        const edge = up.getBoundingClientRect();
        left = Math.max(left, edge.left);
        right = Math.min(right, edge.right);
        top = Math.max(top, edge.top);
        bottom = Math.min(bottom, edge.bottom);
      }
      if (position === 'fixed') break;
    }
    return { left, right, top, bottom };
  }
  const area = ({ left, right, top, bottom }: Box) =>
    Math.max(0, right - left) * Math.max(0, bottom - top);

  /** Whether nothing opaque lies over the element there. */
  function isPainted(x: number, y: number, element: Element): boolean {
    const stack = document.elementsFromPoint(x, y);
    const cover = stack.find((each) => each === element || paintOf(each)[3] > 0.9);
    return cover === undefined || cover === element || cover.contains(element);
  }

  interface Text {
    readonly element: Element;
    readonly words: string;
    readonly box: Box;
  }
  const texts: Text[] = [];
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const words = (node.textContent ?? '').trim();
    if (words === '' || element === null || !element.checkVisibility()) continue;
    if (element.closest('style, script, title, desc, option, :disabled, [data-unmeasured]'))
      continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      const box = inSight(line, element);
      // What is scrolled or wrapped out of sight is not read, nor is what another box lies over.
      if (area(box) < 0.6 * area(line)) continue;
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      // Beyond the window there is nothing, not even the root; the root of a picture may be larger than that.
      if (document.elementsFromPoint(x, y).length === 0) continue;
      if (!isPainted(x, y, element)) continue;
      const css = getComputedStyle(element);
      const isSvg = element instanceof SVGTextContentElement;
      const zoom = isSvg ? element.getBoundingClientRect().height / element.getBBox().height : 1;
      const size = Number.parseFloat(css.fontSize) * zoom;
      if (size < wanted.text - 0.05) faults.push(`"${words}" has ${size.toFixed(1)} px`);
      const ground = groundAt(x, y, element);
      const ink = over(colorOf(isSvg ? css.fill : css.color), ground);
      const isLarge = size >= 24 || (size >= 18.5 && Number(css.fontWeight) >= 700);
      const ratio = contrast(ink, ground);
      if (ratio < (isLarge ? least.largeText : least.text) - 0.05) {
        faults.push(`"${words}" has a contrast of ${ratio.toFixed(1)}`);
      }
      // The lines of a font have air above and below that may overlap.
      const air = 0.2 * (box.bottom - box.top);
      texts.push({ element, words, box: { ...box, top: box.top + air, bottom: box.bottom - air } });
    }
  }
  for (const [index, one] of texts.entries()) {
    for (const other of texts.slice(index + 1)) {
      const left = Math.max(one.box.left, other.box.left);
      const right = Math.min(one.box.right, other.box.right);
      const top = Math.max(one.box.top, other.box.top);
      const bottom = Math.min(one.box.bottom, other.box.bottom);
      if (right - left <= 1.5 || bottom - top <= 1) continue;
      const isSeen = ({ element }: Text) =>
        isPainted((left + right) / 2, (top + bottom) / 2, element);
      if (isSeen(one) && isSeen(other)) faults.push(`"${one.words}" and "${other.words}" overlap`);
    }
  }

  const page = document.body ?? document.documentElement;
  const canvasElement = document.querySelector(':root > .canvas');
  const canvas = canvasElement === null ? paintOf(page) : paintOf(canvasElement);
  const marks: Record<string, number> = {};
  for (const selector of wanted.marks) {
    const found = [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
    marks[selector] = found.length;
    const colors = new Set(
      found.map((each) => {
        const { stroke, fill, backgroundColor, borderLeftColor } = getComputedStyle(each);
        if (each instanceof SVGElement) return stroke === 'none' ? fill : stroke;
        return colorOf(backgroundColor)[3] > 0 ? backgroundColor : borderLeftColor;
      }),
    );
    for (const color of colors) {
      const ratio = contrast(over(colorOf(color), canvas), canvas);
      if (ratio < least.mark - 0.05) {
        faults.push(`${selector} in ${color} has a contrast of ${ratio.toFixed(1)}`);
      }
    }
  }

  const { scrollWidth, clientWidth } = document.documentElement;
  if (wanted.mayOverflow !== true && scrollWidth > clientWidth) {
    faults.push(`the page is ${scrollWidth} wide in a window of ${clientWidth}`);
  }
  style.remove();
  return { texts: texts.length, marks, faults };
}
