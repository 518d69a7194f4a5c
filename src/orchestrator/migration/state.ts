/**
 * What makes up a guest besides its memory: the kernel moves it with a TD, and user space carries what
 * is its own, which is the devices, and in a plain VM the vCPUs.
 */
import type { GuestState } from '../../host/guest.ts';
import { carryAnswers } from '../answers.ts';
import { guestOf } from '../guest.ts';
import { destinationOf, type MigrationSession } from './session.ts';

export async function readState(session: MigrationSession): Promise<void> {
  const guest = await guestOf(session.source.session);
  session.state = await guest.getState();
  session.skipped = isEmpty(session.state);
}

export async function writeState(session: MigrationSession): Promise<void> {
  const { state = {} } = session;
  session.skipped = isEmpty(state);
  const destination = destinationOf(session).session;
  const guest = await guestOf(destination);
  await guest.setState(state);
  carryAnswers(session.source.session, destination);
}

function isEmpty(state: GuestState): boolean {
  return Object.keys(state).length === 0;
}
