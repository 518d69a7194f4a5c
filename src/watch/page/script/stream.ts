/** The stream: everything that came since the last frame is taken at once, and drawn once. */
export const streamScript = `
const link = element('link');
let pending = [];
let isOver = false;
let lastId = 0;

function showLink(text, className) {
  link.textContent = text;
  link.className = 'badge ' + className;
}

function draw() {
  const messages = pending;
  pending = [];
  const stepRows = [];
  const logRows = [];
  for (const message of messages) {
    if (message.kind === 'end') { showEnd(message); continue; }
    takeEvent(message);
    takeSlots(message);
    endMs = Math.max(endMs, message.atMs);
    if (message.event.event === 'step.ended') stepRows.push(stepRow(message));
    logRows.push(logRow(message));
  }
  append(steps, element('steps-scroll'), stepRows);
  append(log, element('log-scroll'), logRows);
  element('clock').textContent = ms(endMs);
  showCards();
  drawSlots();
}

function showEnd({ text, exitCode }) {
  isOver = true;
  const end = element('end');
  end.textContent = text;
  end.classList.toggle('bad', exitCode !== 0);
  end.hidden = false;
  noMoreHolding();
}

const stream = new EventSource('events');
stream.addEventListener('open', () => showLink('live', 'live'));
stream.addEventListener('error', () => {
  if (!isOver) return showLink('reconnecting', 'away');
  stream.close();
  showLink('tdctl has ended', '');
});
stream.addEventListener('message', (message) => {
  // A stream that was cut may send again what had come already.
  const id = Number(message.lastEventId);
  if (id <= lastId) return;
  lastId = id;
  if (pending.length === 0) schedule();
  pending.push(JSON.parse(message.data));
});
/** Hidden pages get no frames, and must not pile messages up. */
function schedule() {
  if (document.hidden) setTimeout(draw, 250); else requestAnimationFrame(draw);
}
stream.addEventListener('pace', (message) => { pace = JSON.parse(message.data); showPace(); });
`;
