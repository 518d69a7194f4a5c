/** Where the picture is: panning and zooming are one transform of it. */
export const placeScript = `
const place = { x: 0, y: 0, zoom: 1 };

function show() {
  svg.style.transform = 'translate(' + place.x + 'px,' + place.y + 'px) scale(' + place.zoom + ')';
}

function fit() {
  const zoom = Math.min(view.clientWidth / size.width, view.clientHeight / size.height);
  place.zoom = Math.min(1.5, zoom * 0.97);
  place.x = (view.clientWidth - size.width * place.zoom) / 2;
  place.y = (view.clientHeight - size.height * place.zoom) / 2;
  show();
}

function zoomBy(factor, at) {
  const x = at ? at.x : view.clientWidth / 2;
  const y = at ? at.y : view.clientHeight / 2;
  const zoom = Math.min(8, Math.max(0.05, place.zoom * factor));
  place.x = x - (x - place.x) * (zoom / place.zoom);
  place.y = y - (y - place.y) * (zoom / place.zoom);
  place.zoom = zoom;
  show();
}

function moveBy(x, y) {
  place.x += x;
  place.y += y;
  show();
}

/** Brings a state into sight, large enough to be read. */
function bringIntoSight(id) {
  const { x, y, width, height } = boxes.get(id).querySelector('.box').getBBox();
  place.zoom = Math.min(1.5, Math.max(place.zoom, 0.8));
  place.x = view.clientWidth / 2 - (x + width / 2) * place.zoom;
  place.y = view.clientHeight / 2 - (y + Math.min(height / 2, 200)) * place.zoom;
  show();
}

function isInSight(id) {
  const box = boxes.get(id).getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  return box.top >= frame.top && box.bottom <= frame.bottom && box.left >= frame.left && box.right <= frame.right;
}
`;
