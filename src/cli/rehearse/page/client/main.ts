/** Opens the run of a cell beside the matrix. */
import { make, part } from '../../../../visualize/page/client/dom.ts';
import { data } from './data.ts';
import { diagram } from './diagram.ts';

const panel = part('panel', HTMLElement);
const content = part('content', HTMLElement);
const notKept = `This page keeps the runs of the first ${data.sequences} squares; play this one again to see it.`;
let chosen: HTMLElement | null = null;

function openCell(button: HTMLElement): void {
  const row = data.rows[Number(button.dataset.row)];
  const cell = row?.cells[Number(button.dataset.cell)];
  if (row === undefined || cell === undefined) return;
  choose(button);
  const faults = [...data.always, ...cell.example].map((fault) => `--fault '${fault}'`);
  content.replaceChildren(
    make('h3', cell.kind),
    make('p', `${row.lane}, ${row.state}: ${cell.outcome} (${cell.count})`),
    make('p', 'Play it again with:'),
    make('code', faults.join(' ')),
    make('p', cell.sequence === null ? notKept : 'What happened:'),
    cell.sequence === null ? '' : diagram(cell.sequence),
  );
  panel.hidden = false;
  panel.scrollTop = 0;
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
