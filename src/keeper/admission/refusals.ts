/** What somebody is told who gets no key slot, and will not wait for one. */
import { TdctlError } from '../../errors/index.ts';
import type { Ticket } from './tickets.ts';

const mostNamed = 12;

export function othersWait(waiting: readonly Ticket[]): TdctlError {
  const many = waiting.length === 1 ? 'another TD waits' : `${waiting.length} other TDs wait`;
  return new TdctlError({
    code: 'TDCTL_E_NO_KEY_SLOT',
    op: 'take a key slot',
    message: `${many} for a key slot, and come first`,
    details: waitingInWords(waiting),
    hint: 'wait in order with them: --queue',
  });
}

export function waitingInWords(waiting: readonly Ticket[]): string[] {
  const named = waiting
    .slice(0, mostNamed)
    .map(({ td, pid, isStopped }, index) =>
      isStopped
        ? `waits: ${td}, whose keeper (pid ${pid}) is stopped and is passed over`
        : `waits, place ${index + 1}: ${td} (pid ${pid})`,
    );
  const more = waiting.length - named.length;
  return more > 0 ? [...named, `and ${more} more`] : named;
}
