import type { StatusRecord } from './status.ts';

/** What a keeper says of its TD besides its state: sentences for a person. */
export function notesOf({
  guestEnded,
  waitingFor,
  leftovers,
  holdsKeySlot,
  vmm,
}: Pick<
  StatusRecord,
  'guestEnded' | 'waitingFor' | 'leftovers' | 'holdsKeySlot' | 'vmm'
>): string[] {
  const notes = leftovers.map(({ message }) => message);
  if (vmm?.vsockCid !== undefined && holdsKeySlot) {
    notes.unshift(`its guest has the context ID ${vmm.vsockCid} (vsock)`);
  }
  if (waitingFor !== null) notes.unshift(`waits for ${waitingFor}`);
  if (guestEnded !== null) notes.unshift(guestEnded);
  return notes;
}
