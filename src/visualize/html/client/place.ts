/** Panning and zooming are one transform of the picture, which tells where it is. */
import { boxes, svg, view } from './chart.ts';

const size = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
const place = { x: 0, y: 0, zoom: 1 };

function show(): void {
  svg.style.transform = `translate(${place.x}px,${place.y}px) scale(${place.zoom})`;
}

export function showWhole(): void {
  const zoom = Math.min(view.clientWidth / size.width, view.clientHeight / size.height);
  place.zoom = Math.min(1.5, zoom * 0.97);
  place.x = (view.clientWidth - size.width * place.zoom) / 2;
  place.y = (view.clientHeight - size.height * place.zoom) / 2;
  show();
}

/** The given point stays where it is. Without one, it is the middle of the view. */
export function zoomBy(
  factor: number,
  { x, y } = { x: view.clientWidth / 2, y: view.clientHeight / 2 },
): void {
  const zoom = Math.min(8, Math.max(0.05, place.zoom * factor));
  place.x = x - (x - place.x) * (zoom / place.zoom);
  place.y = y - (y - place.y) * (zoom / place.zoom);
  place.zoom = zoom;
  show();
}

export function moveBy(x: number, y: number): void {
  place.x += x;
  place.y += y;
  show();
}

/** Brings a state into sight, large enough to be read. */
export function bringIntoSight(id: string): void {
  const box = boxes.get(id)?.querySelector<SVGGraphicsElement>('.box');
  if (!box) return;
  const { x, y, width, height } = box.getBBox();
  place.zoom = Math.min(1.5, Math.max(place.zoom, 0.8));
  place.x = view.clientWidth / 2 - (x + width / 2) * place.zoom;
  place.y = view.clientHeight / 2 - (y + Math.min(height / 2, 200)) * place.zoom;
  show();
}

export function isInSight(drawn: Element): boolean {
  const box = drawn.getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  return (
    box.top >= frame.top &&
    box.bottom <= frame.bottom &&
    box.left >= frame.left &&
    box.right <= frame.right
  );
}
