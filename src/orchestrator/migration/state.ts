/**
 * What makes up a guest besides its memory: the kernel moves it with a TD, and user space carries what
 * is its own, which is the devices, and in a plain VM the vCPUs.
 */
import type { Guest } from '../../host/guest.ts';
import { carryNotify } from '../answers.ts';
import { guestOf } from '../guest.ts';
import { destinationOf, type MigrationSession } from './session.ts';
import type { CarriedState } from './source.ts';

export async function readState(session: MigrationSession): Promise<void> {
  session.state = await session.source.readState();
  session.skipped = isEmpty(session.state);
}

export async function writeState(session: MigrationSession): Promise<void> {
  if (session.crossing?.hasDone('writingState')) return;
  const state = session.state ?? nothing;
  session.skipped = isEmpty(state);
  const destination = destinationOf(session).session;
  const guest = await guestOf(destination);
  if (state.packed === undefined) await guest.setState(state.guest);
  else takePacked(guest, state.packed);
  carryNotify(destination, state.notify);
}

export function takePacked(guest: Guest, packed: Uint8Array): void {
  if (guest.takePacked === undefined) throw new Error('no guest of this host takes its state so');
  guest.takePacked(packed);
}

const nothing: CarriedState = { guest: {}, notify: undefined };

function isEmpty({ guest, packed }: CarriedState): boolean {
  return packed === undefined && Object.keys(guest).length === 0;
}
