/** Panning and zooming are one transform of the picture, which tells where it is. */
import { boxes, svg, view } from './chart.ts';

const size = { width: svg.width.baseVal.value, height: svg.height.baseVal.value };
const place = { x: 0, y: 0, zoom: 1 };
/** The smallest text of a picture has 10 pixels; from here on it is read without effort. */
const readable = 1;
const largest = 1.5;

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

/** Shows the beginning of the chart as large as it can be read, or all of it where that is no smaller. */
export function showStart(): void {
  showWhole();
  const start = svg.querySelector<SVGGraphicsElement>('.start');
  if (place.zoom >= readable || start === null) return;
  const { x, width } = start.getBBox();
  place.zoom = readable;
  place.x = view.clientWidth / 2 - (x + width / 2);
  place.x = Math.min(0, Math.max(place.x, view.clientWidth - size.width));
  place.y = 0;
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

/** Brings a state into sight, large enough to be read. Of one that is larger than the view, its top. */
export function bringIntoSight(id: string): void {
  const box = boxes.get(id)?.querySelector<SVGGraphicsElement>('.box');
  if (!box) return;
  const { x, y, width, height } = box.getBBox();
  place.zoom = Math.min(largest, Math.max(place.zoom, readable));
  const room = { x: view.clientWidth / place.zoom, y: view.clientHeight / place.zoom };
  const left = width > room.x ? x - 20 : x + width / 2 - room.x / 2;
  const top = height > room.y ? y - 20 : y + height / 2 - room.y / 2;
  place.x = -left * place.zoom;
  place.y = -top * place.zoom;
  show();
}

export function isReadable(): boolean {
  return place.zoom >= readable;
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
