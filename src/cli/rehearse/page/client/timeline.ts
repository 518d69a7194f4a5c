/** The timeline is zoomed by making it wider, and begins with the first move, or what failed, in view. */
import { part } from '../../../../visualize/page/client/dom.ts';

const frame = part('timeline', HTMLElement);
const plot = part('plot', HTMLElement);
const widest = 20_000;

/** What is in the middle of the view stays there. */
function widen(width: number): void {
  const lane = plot.querySelector<HTMLElement>('.lane')?.offsetWidth ?? 0;
  const middle = frame.scrollLeft + (frame.clientWidth - lane) / 2;
  const share = middle / (plot.offsetWidth - lane);
  const chosen = Math.min(widest, Math.max(frame.clientWidth, width));
  plot.style.width = `${chosen}px`;
  frame.scrollLeft = share * (chosen - lane) - (frame.clientWidth - lane) / 2;
}

function showMove(): void {
  const mark =
    plot.querySelector('.lines .border, .lines .blackout') ?? plot.querySelector('.step.failed');
  const lane = plot.querySelector<HTMLElement>('.lane');
  if (mark === null || lane === null) return;
  const at = mark.getBoundingClientRect().left - lane.getBoundingClientRect().right;
  frame.scrollLeft = at - (frame.clientWidth - lane.offsetWidth) / 2;
}

part('smaller', HTMLElement).addEventListener('click', () => widen(plot.offsetWidth / 1.5));
part('larger', HTMLElement).addEventListener('click', () => widen(plot.offsetWidth * 1.5));
part('whole', HTMLElement).addEventListener('click', () => {
  plot.style.width = '100%';
});
showMove();
