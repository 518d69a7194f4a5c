/** The run of a cell as a sequence diagram: the lanes, KVM, the TDX module. */
import { makeSvg } from '../../../../visualize/page/client/dom.ts';
import type { MessageData } from '../rehearsal-data.ts';
import { data } from './data.ts';

const columnWidth = 150;
const rowHeight = 24;

type Message = ReturnType<typeof messageOf>;

export function diagram(sequence: readonly MessageData[]): SVGSVGElement {
  const messages = sequence.map(messageOf);
  const lanes = messages.filter(({ to }) => to === 'KVM').map(({ from }) => from);
  const columns = [...new Set(lanes), 'KVM', 'TDX module'];
  const width = columns.length * columnWidth;
  const height = 40 + messages.length * rowHeight;
  const x = (column: string) => 70 + columns.indexOf(column) * columnWidth;
  const picture = makeSvg('svg', {
    class: 'sequence',
    width: width + 240,
    height,
    role: 'img',
    'aria-label': 'Calls in order',
  });
  for (const column of columns) {
    picture.append(
      makeSvg('text', { x: x(column), y: 16, 'text-anchor': 'middle' }, column),
      makeSvg('line', { x1: x(column), x2: x(column), y1: 24, y2: height }),
    );
  }
  for (const [row, message] of messages.entries()) {
    const y = 44 + row * rowHeight;
    const [start, end] = [x(message.from), x(message.to)];
    picture.append(...loop(message, { right: width + 22, y }), ...call(message, { start, end, y }));
  }
  return picture;
}

function messageOf([from, to, text, answer, times, loopLength, loopTimes]: MessageData) {
  const word = (index: number) => data.strings[index] ?? '';
  const words = { from: word(from), to: word(to), text: word(text), answer: word(answer) };
  return { ...words, times, loopLength, loopTimes };
}

/** A frame around what is repeated, where that begins. */
function loop(
  { loopLength, loopTimes }: Message,
  { right, y }: { right: number; y: number },
): SVGElement[] {
  if (loopLength === 0) return [];
  const height = loopLength * rowHeight - 1;
  const words = { x: right - 6, y: y - 4, 'text-anchor': 'end' };
  return [
    makeSvg('rect', { class: 'loop', x: 20, y: y - 18, width: right - 20, height, rx: 4 }),
    makeSvg('text', words, `×${loopTimes}`),
  ];
}

function call(
  { text, answer, times }: Message,
  { start, end, y }: { start: number; end: number; y: number },
): SVGElement[] {
  const isBad = answer !== 'ok';
  const words = text + (times > 1 ? ` ×${times}` : '') + (isBad ? ` = ${answer}` : '');
  const line = isBad ? 'call bad' : 'call';
  const head = `M${end - 6} ${y - 4}L${end} ${y}L${end - 6} ${y + 4}`;
  return [
    makeSvg('line', { class: line, x1: start, x2: end, y1: y, y2: y }),
    makeSvg('path', { class: line, d: head, fill: 'none' }),
    makeSvg('text', { class: isBad ? 'bad' : '', x: start + 8, y: y - 4 }, words),
  ];
}
