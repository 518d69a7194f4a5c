/**
 * What makes up a guest besides its memory: the kernel moves it with a TD, and user space carries what
 * is its own, which is the devices, and in a plain VM the vCPUs.
 */
import type { GuestState } from '../../host/guest.ts';
import { carryNotify } from '../answers.ts';
import { guestOf } from '../guest.ts';
import { destinationOf, type MigrationSession } from './session.ts';

export async function readState(session: MigrationSession): Promise<void> {
  session.state = await session.source.readState();
  session.skipped = isEmpty(session.state.guest);
}

export async function writeState(session: MigrationSession): Promise<void> {
  const { guest: state = {}, notify } = session.state ?? {};
  session.skipped = isEmpty(state);
  const destination = destinationOf(session).session;
  const guest = await guestOf(destination);
  await guest.setState(state);
  carryNotify(destination, notify);
}

function isEmpty(state: GuestState): boolean {
  return Object.keys(state).length === 0;
}
