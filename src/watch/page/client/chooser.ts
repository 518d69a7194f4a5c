/** Decides which VM or move is shown: the newest, unless someone has chosen. */
import { make, part } from '../../../visualize/page/client/dom.ts';
import { type Lane, lanes, movesOf, newestTd, vmsOf } from './model.ts';

export const which = part('which', HTMLSelectElement);
const chooser = part('chooser', HTMLElement);
const mostOptions = 400;
let lanesOffered = 0;

/** A TD and the how-manieth of its moves, from 1; with 0 the TD is shown alone. */
type Choice = readonly [td: string, hop: number];

/** One VM, or a move between its two VMs. */
export function chosenLanes(): Lane[] {
  if (newestTd === null) return [];
  const [td, hop] = choice() ?? [newestTd, movesOf(newestTd).length];
  const vms = vmsOf(td);
  if (hop === 0) return vms.slice(0, 1);
  const shown = [vms[hop - 1], movesOf(td)[hop - 1], vms[hop]];
  return shown.filter((lane) => lane !== undefined);
}

function choice(): Choice | undefined {
  return which.value === '' || which.value === 'newest' ? undefined : JSON.parse(which.value);
}

export function fillChooser(): void {
  if (lanes.size === lanesOffered) return;
  lanesOffered = lanes.size;
  const tds = [...new Set([...lanes.values()].map(({ td }) => td))];
  const choices = tds.flatMap((td) => [
    [td, 0] as const,
    ...movesOf(td).map((_, at) => [td, at + 1] as const),
  ]);
  chooser.hidden = choices.length < 2;
  const before = which.value;
  which.replaceChildren(
    make('option', 'the newest', { value: 'newest' }),
    ...choices.slice(-mostOptions).map(choiceOption),
  );
  if (before !== '') which.value = before;
}

function choiceOption([td, hop]: Choice): HTMLOptionElement {
  const words = hop === 0 ? td : `${td}, move ${hop}`;
  return make('option', words, { value: JSON.stringify([td, hop]) });
}
