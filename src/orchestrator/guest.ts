import { endInWords } from '../guest/index.ts';
import type { Guest, GuestEnd, GuestIo } from '../host/guest.ts';
import type { TdSession } from './session.ts';

/** The guest of a TD, which is made when it is first asked for, and has not run then. */
export async function guestOf(session: TdSession): Promise<Guest> {
  const { handles, ledger } = session;
  if (!handles.has('guest')) {
    const guest = await handles.get('vm').makeGuest({
      vcpus: handles.get('vcpus'),
      io: ioOf(session),
    });
    ledger.hold({ what: 'guest', release: () => guest.close() });
    handles.set('guest', guest);
    // Before any step hears of it, so that what comes of an end is told after it.
    void guest.ended.then((end) => tellEnd(session, end));
  }
  return handles.get('guest');
}

function tellEnd({ publish }: TdSession, end: GuestEnd): void {
  const { message } = endInWords(end);
  publish({ event: 'guest.ended', reason: end.kind, vcpu: end.vcpu, message });
}

function ioOf({ console, publish }: TdSession): GuestIo {
  return {
    ...console,
    exit: async () => undefined,
    failed: (error) => publish({ event: 'td.warning', message: String(error) }),
  };
}
