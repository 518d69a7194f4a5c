import { endInWords, panicOf, panicText } from '../guest/index.ts';
import type { Guest, GuestEnd, GuestIo } from '../host/guest.ts';
import { answerExit, slotsOf } from './answers.ts';
import type { TdSession } from './session.ts';

/** The guest of a TD, which is made when it is first asked for, and has not run then. */
export async function guestOf(session: TdSession): Promise<Guest> {
  const { handles, ledger } = session;
  if (!handles.has('guest')) {
    const guest = await handles.get('vm').makeGuest({
      vcpus: handles.get('vcpus'),
      io: ioOf(session),
    });
    ledger.hold({ what: 'guest', release: () => closeGuest(session, guest) });
    handles.set('guest', guest);
    // Before any step hears of it, so that what comes of an end is told after it.
    void guest.ended.then((end) => tellEnd(session, end));
  }
  return handles.get('guest');
}

/** The exits of a guest by kind. Those that its devices answered have `device`, which is one kind to this side. */
export function exitsOf({ handles, exits }: TdSession): Readonly<Record<string, number>> {
  const { exits: all = 0, handedOn = 0 } = handles.has('guest')
    ? handles.get('guest').counts()
    : {};
  return { device: all - handedOn, ...Object.fromEntries(exits) };
}

/** Why a memory fault of the guest had no answer, where that is what has ended it. */
export function refusedFault({ handles }: TdSession): string | undefined {
  return handles.has('answers') ? handles.get('answers').refusedFault : undefined;
}

async function closeGuest({ handles }: TdSession, guest: Guest): Promise<void> {
  if (handles.has('answers')) handles.get('answers').close();
  await guest.close();
}

function tellEnd(session: TdSession, end: GuestEnd): void {
  const { publish } = session;
  const panic = panicOf(end);
  if (panic !== undefined) {
    const text = panicText(panic, slotsOf(session));
    publish({ event: 'guest.panicked', text, errorCode: `0x${panic.code.toString(16)}` });
  }
  const { message } = endInWords(end, refusedFault(session));
  publish({ event: 'guest.ended', reason: end.kind, vcpu: end.vcpu, message });
}

function ioOf(session: TdSession): GuestIo {
  const { console, publish } = session;
  return {
    ...console,
    exit: (vcpu, exit) => {
      session.exits.set(exit.kind, (session.exits.get(exit.kind) ?? 0) + 1);
      return answerExit(session, vcpu, exit);
    },
    failed: (error) => publish({ event: 'td.warning', message: String(error) }),
  };
}
