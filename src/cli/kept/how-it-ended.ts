/** How a guest, or its TD, has ended, in words. */
import { readJournal } from '../../keeper/journal/index.ts';
import type { JournalRecord } from '../../keeper/journal/records.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { keptStates } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';

/** The guest's own end, in this life, or else what became of its TD. */
export function howItEnded(state: StateDirectory, name: string): string {
  const { records } = readJournal(tdFiles(state, name).journal);
  const words = records.map(endOfGuest).findLast((each) => each !== undefined);
  if (words !== undefined) return words;
  const td = readKeptTd(state, name);
  return td === undefined ? 'it was deleted' : `it is ${td.state}: ${keptStates[td.state]}`;
}

function endOfGuest(record: JournalRecord): string | undefined {
  if (record.kind !== 'event' || record.event.event !== 'guest.ended') return undefined;
  return record.event.message;
}
