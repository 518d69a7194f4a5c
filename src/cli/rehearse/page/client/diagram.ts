/** The run of a cell as a sequence diagram: the lanes, KVM, the TDX module. */
import { make, makeSvg } from '../../../../visualize/page/client/dom.ts';
import type { MessageData, Tone } from '../rehearsal-data.ts';
import { data } from './data.ts';

const columnWidth = 150;
const rowHeight = 24;
const firstRow = 20;

type Message = ReturnType<typeof messageOf>;

/** The calls scroll below the names of the columns. */
export function diagram(sequence: readonly MessageData[]): HTMLElement {
  const messages = sequence.map(messageOf);
  const lanes = messages.filter(({ to }) => to === 'KVM').map(({ from }) => from);
  const columns = [...new Set(lanes), 'KVM', 'TDX module'];
  const x = (column: string) => 70 + columns.indexOf(column) * columnWidth;
  const height = firstRow + messages.length * rowHeight;
  const names = makeSvg('svg', { class: 'columns', height: 24 });
  const calls = makeSvg('svg', {
    class: 'sequence',
    height,
    role: 'img',
    'aria-label': 'Calls in order',
  });
  for (const column of columns) {
    names.append(makeSvg('text', { x: x(column), y: 16, 'text-anchor': 'middle' }, column));
    calls.append(makeSvg('line', { x1: x(column), x2: x(column), y1: 0, y2: height }));
  }
  const right = columns.length * columnWidth + 22;
  for (const [row, message] of messages.entries()) {
    const y = firstRow + row * rowHeight;
    const [start, end] = [x(message.from), x(message.to)];
    calls.append(...loop(message, { right, y }), ...call(message, { start, end, y }));
  }
  return make('div', [names, calls], { className: 'calls', tabIndex: 0 });
}

/** How long a text is, is known once it is in the document. Then the call of the fault is scrolled to. */
export function settle(calls: HTMLElement): void {
  const ends = [...calls.querySelectorAll<SVGTextElement>('text')].map((text) => {
    const { x, width } = text.getBBox();
    return x + width;
  });
  const width = Math.ceil(Math.max(...ends)) + 12;
  for (const drawn of calls.querySelectorAll('svg')) drawn.setAttribute('width', String(width));
  for (const drawn of calls.querySelectorAll('.here')) drawn.setAttribute('width', String(width));
  const here = calls.querySelector<SVGRectElement>('.here');
  if (here === null) return;
  const top = here.y.baseVal.value - calls.clientHeight / 2;
  const words = calls.querySelector<SVGTextElement>('text.fault')?.getBBox();
  const beyond = words === undefined ? 0 : words.x + words.width + 12 - calls.clientWidth;
  calls.scrollTo(Math.max(0, Math.min(beyond, (words?.x ?? 0) - 20)), Math.max(0, top));
}

function messageOf([from, to, text, answer, tone, times, loopLength, loopTimes]: MessageData) {
  const word = (index: number) => data.strings[index] ?? '';
  const words = { from: word(from), to: word(to), text: word(text), answer: word(answer) };
  return { ...words, tone: word(tone) as Tone, times, loopLength, loopTimes };
}

/** A frame around what is repeated, where that begins. */
function loop(
  { loopLength, loopTimes }: Message,
  { right, y }: { right: number; y: number },
): SVGElement[] {
  if (loopLength === 0) return [];
  const height = loopLength * rowHeight - 1;
  const words = { x: 24, y: y - 4 };
  return [
    makeSvg('rect', { class: 'loop', x: 20, y: y - 18, width: right - 20, height, rx: 4 }),
    makeSvg('text', words, `×${loopTimes}`),
  ];
}

function call(
  { text, answer, tone, times }: Message,
  { start, end, y }: { start: number; end: number; y: number },
): SVGElement[] {
  const mark = tone === 'fault' ? '▶ ' : '';
  const words = mark + text + (times > 1 ? ` ×${times}` : '') + answerWords(answer, tone);
  const head = `M${end - 6} ${y - 4}L${end} ${y}L${end - 6} ${y + 4}`;
  const here = { class: 'here', x: 0, y: y - 18, height: rowHeight };
  return [
    ...(tone === 'fault' ? [makeSvg('rect', here)] : []),
    makeSvg('line', { class: `call ${tone}`, x1: start, x2: end, y1: y, y2: y }),
    makeSvg('path', { class: `call ${tone}`, d: head, fill: 'none' }),
    makeSvg('text', { class: tone, x: start + 8, y: y - 4 }, words),
  ];
}

/** Of a routine answer the name is enough; the word of the TDX module stands behind it in brackets. */
function answerWords(answer: string, tone: Tone): string {
  if (tone === 'routine') return ` = ${answer.replace(/ \(.*\)$/, '')}`;
  return answer === 'ok' ? '' : ` = ${answer}`;
}
