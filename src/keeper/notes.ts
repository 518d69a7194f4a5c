import type { StatusRecord } from './status.ts';

/** What a keeper says of its TD besides its state: sentences for a person. */
export function notesOf({
  guestEnded,
  waitingFor,
  leftovers,
}: Pick<StatusRecord, 'guestEnded' | 'waitingFor' | 'leftovers'>): string[] {
  return [
    ...(guestEnded === null ? [] : [guestEnded]),
    ...(waitingFor === null ? [] : [`waits for ${waitingFor}`]),
    ...leftovers.map(({ message }) => message),
  ];
}
