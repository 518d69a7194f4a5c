import type { StatusRecord } from './status.ts';

/** What a keeper says of its TD besides its state: sentences for a person. */
export function notesOf({
  guestEnded,
  waitingFor,
  leftovers,
}: Pick<StatusRecord, 'guestEnded' | 'waitingFor' | 'leftovers'>): string[] {
  const notes = leftovers.map(({ message }) => message);
  if (waitingFor !== null) notes.unshift(`waits for ${waitingFor}`);
  if (guestEnded !== null) notes.unshift(guestEnded);
  return notes;
}
