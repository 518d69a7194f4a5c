/** How a guest, or its TD, has ended, in words. */
import { readJournal } from '../../keeper/journal/index.ts';
import type { JournalRecord } from '../../keeper/journal/records.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { keptStates } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';
import { awaitTd, mostEndingMs } from './await.ts';

/** The guest's own end, in this life, or else what became of its TD, which of a killed keeper shows in a moment. */
export async function howItEnded(
  state: StateDirectory,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const { records } = readJournal(tdFiles(state, name).journal);
  const words = records.map(endOfGuest).findLast((each) => each !== undefined);
  if (words !== undefined) return words;
  const until = (now: KeptTd | undefined) => now?.state !== 'draining';
  const { td } = await awaitTd(state, { name, until, signal, timeoutMs: mostEndingMs });
  return td === undefined ? 'it was deleted' : `it is ${td.state}: ${keptStates[td.state]}`;
}

function endOfGuest(record: JournalRecord): string | undefined {
  if (record.kind !== 'event' || record.told.event !== 'guest.ended') return undefined;
  return record.told.message;
}
