/** A TD runs by KVM_RUN on every vCPU at once, as its guest does it. */
import { guestFailure } from '../../guest/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import { guestOf, refusedFault } from '../guest.ts';
import type { TdSession } from '../session.ts';

export async function enterVcpus(session: TdSession): Promise<void> {
  const guest = await guestOf(session);
  const { entering } = session;
  session.entering = undefined;
  await (entering ?? guest.run());
  throwFailure(session);
}

/** Resolves when the guest has ended by itself and has done what it was there for. */
export async function watchVcpus(session: TdSession, signal: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopped, (await guestOf(session)).ended]);
  if (!signal.aborted) throwFailure(session);
}

export async function leaveVcpus({ handles, atRest }: TdSession): Promise<void> {
  if (handles.has('guest')) await handles.get('guest').pause(atRest);
}

/** Tells whether KVM_RUN lets the vCPUs in. They are told to leave at once. */
export async function canBeEntered(session: TdSession): Promise<boolean> {
  const guest = await guestOf(session);
  try {
    await guest.run();
  } catch (error) {
    if (error instanceof KvmError) return false;
    throw error;
  }
  await guest.pause();
  return guest.end === undefined || guestFailure(guest.end) === undefined;
}

function throwFailure(session: TdSession): void {
  const { end } = session.handles.get('guest');
  const failure = end && guestFailure(end, refusedFault(session));
  if (failure !== undefined) throw failure;
}
