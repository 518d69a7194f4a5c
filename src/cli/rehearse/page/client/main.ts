/** Opens the run of a cell beside the matrix. */
import { make, part } from '../../../../visualize/page/client/dom.ts';
import { data } from './data.ts';
import { diagram, settle } from './diagram.ts';
import './timeline.ts';

const panel = part('panel', HTMLElement);
const content = part('content', HTMLElement);
const notKept = `This page keeps the runs of the first ${data.sequences} squares; play this one again to see it.`;
const whatHappened =
  'What happened. ▶ is where the fault was. Red answers come of it; grey ones come without it too.';
let chosen: HTMLElement | null = null;

function openCell(button: HTMLElement): void {
  const row = data.rows[Number(button.dataset.row)];
  const cell = row?.cells[Number(button.dataset.cell)];
  if (row === undefined || cell === undefined) return;
  choose(button);
  const calls = cell.sequence === null ? undefined : diagram(cell.sequence);
  content.replaceChildren(
    make('h3', cell.kind),
    make('p', `${row.lane}, ${row.state}: ${cell.outcome} (${cell.count})`),
    make('p', 'Play it again with:'),
    make('div', [make('code', cell.command), copyButton(cell.command)], { className: 'again' }),
    make('p', calls === undefined ? notKept : whatHappened),
    calls ?? '',
  );
  panel.hidden = false;
  if (calls !== undefined) settle(calls);
}

function copyButton(command: string): HTMLElement {
  const button = make('button', 'Copy', { type: 'button' });
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = 'Copied';
  });
  return button;
}

function closePanel(): void {
  panel.hidden = true;
  chosen?.focus();
  choose(null);
}

function choose(button: HTMLElement | null): void {
  chosen?.classList.remove('chosen');
  button?.classList.add('chosen');
  chosen = button;
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element && target.closest<HTMLElement>('button.cell');
  if (button) openCell(button);
});
part('close', HTMLElement).addEventListener('click', closePanel);
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') closePanel();
});
