/**
 * The line of those who wait for a key slot: files whose names are numbers, the least is the next one's. There is
 * no lock in it, and nobody is asked: whoever dies anywhere in here is passed over by the others.
 *
 * A number is never given twice. The greatest file always stays (a ticket that was given up is emptied, and removed
 * only when a greater one is there), and a ticket counts for its owner only once he has seen that none is greater:
 * somebody who was stopped between looking and taking would else come before those who came before him.
 */
import type { NumberedFiles } from '../../files/index.ts';
import type { KeeperIdentity } from '../identity.ts';

/** Whose a ticket is. */
export interface TicketOwner
  extends Pick<KeeperIdentity, 'pid' | 'startTime' | 'bootId' | 'pidNamespace'> {
  readonly td: string;
}

export interface Ticket extends TicketOwner {
  readonly number: number;
  /** A signal has stopped its owner. It keeps its place, and is passed over as long as it stands still. */
  readonly isStopped: boolean;
}

export type Standing = 'waits' | 'stopped' | 'gone';

/** It is asked of everyone who has a ticket, each time. */
export type StandingOf = (owner: TicketOwner) => Standing | Promise<Standing>;

/** @throws the errors of the system calls. */
export async function takeTicket(files: NumberedFiles, owner: TicketOwner): Promise<number> {
  const content = `${JSON.stringify(owner)}\n`;
  for (;;) {
    const number = greatest(await files.numbers()) + 1;
    if (!(await files.create(number, content))) continue;
    let isLast: boolean;
    try {
      isLast = greatest(await files.numbers()) === number;
    } catch (error) {
      // It would count for as long as its owner lives.
      await files.empty(number);
      throw error;
    }
    if (isLast) return number;
    await files.remove(number);
  }
}

/** Everybody who waits, the next one first. Removes what the dead have left. */
export async function waitingTickets(
  files: NumberedFiles,
  standingOf: StandingOf,
): Promise<Ticket[]> {
  const numbers = await files.numbers();
  const last = greatest(numbers);
  const waiting: Ticket[] = [];
  for (const number of numbers) {
    const owner = ownerOf(await files.read(number));
    const standing = owner === undefined ? 'gone' : await standingOf(owner);
    if (owner !== undefined && standing !== 'gone') {
      waiting.push({ ...owner, number, isStopped: standing === 'stopped' });
    } else if (number !== last) {
      // A courtesy: whoever may only read passes over it all the same.
      await files.remove(number).catch(() => undefined);
    }
  }
  return waiting;
}

/** Its owner leaves the line, before his turn or after it. */
export async function giveUpTicket(files: NumberedFiles, number: number): Promise<void> {
  await files.empty(number);
  if (greatest(await files.numbers()) !== number) await files.remove(number);
}

function greatest(numbers: readonly number[]): number {
  return numbers.at(-1) ?? 0;
}

/** Undefined for a ticket that was given up, and for what is none. */
function ownerOf(text: string | undefined): TicketOwner | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const { td, pid, startTime, bootId, pidNamespace } = JSON.parse(text) as TicketOwner;
    const texts = [td, startTime, bootId, pidNamespace];
    const isWhole = Number.isSafeInteger(pid) && texts.every((part) => typeof part === 'string');
    return isWhole ? { td, pid, startTime, bootId, pidNamespace } : undefined;
  } catch {
    return undefined;
  }
}
