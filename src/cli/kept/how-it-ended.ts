/** How a guest, or its TD, has ended, in words. */
import { readJournal } from '../../keeper/journal/index.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { keptStates } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';

export async function howItEnded(state: StateDirectory, name: string): Promise<string> {
  const { records } = readJournal(tdFiles(state, name).journal);
  const guest = records.findLast(
    (record) => record.kind === 'keeper' || isEndOfGuest(record),
  );
  if (guest !== undefined && isEndOfGuest(guest)) return guest.event.message;
  const td = readKeptTd(state, name);
  return td === undefined ? 'it was deleted' : `it is ${td.state}: ${keptStates[td.state]}`;
}
