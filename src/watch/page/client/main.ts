/** Reads the stream. All that came since the last frame is taken at once, and drawn once. */
import { part } from '../../../visualize/page/client/dom.ts';
import type { EndMessage, WatchMessage } from '../../messages.ts';
import { showCards } from './cards.ts';
import { endHolding, showPace } from './controls.ts';
import { formatMs } from './facts.ts';
import { takeEvent } from './model.ts';
import { appendRows, stayAtEnd } from './panels.ts';
import { drawSlots, takeSlots } from './slots.ts';

const link = part('link', HTMLElement);
let pending: WatchMessage[] = [];
let isOver = false;
let lastId = 0;
let endMs = 0;

function showLink(text: string, className: string): void {
  link.textContent = text;
  link.className = `badge ${className}`;
}

function draw(): void {
  const messages = pending;
  pending = [];
  const events = messages.filter((message) => message.kind === 'event');
  for (const message of events) {
    takeEvent(message);
    takeSlots(message);
    endMs = Math.max(endMs, message.atMs);
  }
  appendRows(events);
  part('clock', HTMLElement).textContent = formatMs(endMs);
  showCards();
  drawSlots(endMs);
  for (const message of messages) if (message.kind === 'end') showEnd(message);
}

function showEnd({ text, exitCode }: EndMessage): void {
  isOver = true;
  const end = part('end', HTMLElement);
  end.textContent = text;
  end.classList.toggle('bad', exitCode !== 0);
  end.hidden = false;
  stayAtEnd();
  if (exitCode === 0) showLink('done', 'done');
  else showLink(`failed, exit code ${exitCode}`, 'away');
  endHolding();
}

/** Hidden pages get no frames, and must not pile messages up. */
function schedule(): void {
  if (document.hidden) setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

const stream = new EventSource('events');
stream.addEventListener('open', () => {
  if (!isOver) showLink('live', 'live');
});
stream.addEventListener('error', () => {
  if (!isOver) return showLink('reconnecting', 'away');
  stream.close();
  link.title = 'tdctl has ended';
});
stream.addEventListener('message', ({ lastEventId, data }) => {
  // A stream that was cut may send again what had come already.
  const id = Number(lastEventId);
  if (id <= lastId) return;
  lastId = id;
  if (pending.length === 0) schedule();
  pending.push(JSON.parse(data));
});
stream.addEventListener('pace', ({ data }) => {
  if (!isOver) showPace(JSON.parse(data));
});
