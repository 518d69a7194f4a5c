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
    const ticket = await ticketAt(files, number, { standingOf, last });
    if (ticket !== undefined) waiting.push(ticket);
  }
  return waiting;
}

interface Looking {
  readonly standingOf: StandingOf;
  /** The greatest number. */
  readonly last: number;
}

/** Undefined where nobody waits with it, and then it is removed, or emptied if it is the last. */
async function ticketAt(
  files: NumberedFiles,
  number: number,
  { standingOf, last }: Looking,
): Promise<Ticket | undefined> {
  const text = await files.read(number);
  const owner = ownerOf(text);
  const standing = owner === undefined ? 'gone' : await standingOf(owner);
  if (owner !== undefined && standing !== 'gone') {
    return { ...owner, number, isStopped: standing === 'stopped' };
  }
  // A courtesy: whoever may only read passes over it all the same.
  await clear(files, number, { isLast: number === last, text }).catch(() => undefined);
  return undefined;
}

interface Left {
  readonly isLast: boolean;
  readonly text: string | undefined;
}

/** Only once: those who wait look again whenever something in the line changes. */
async function clear(files: NumberedFiles, number: number, { isLast, text }: Left): Promise<void> {
  if (!isLast) await files.remove(number);
  else if (text !== undefined && text !== '') await files.empty(number);
}

export interface Place {
  /** The first is 1. Those that a signal has stopped are not counted. */
  readonly position: number;
  readonly of: number;
}

/** So many are looked at each time whatever they are. */
const mostInPassing = 8;

/**
 * Where a ticket stands. All who wait look at each change, so a look reads few tickets however many there are: those
 * before it until one of them waits, by which it is first or is not; and a few of the others in turn, which is enough
 * for its place to be right in the end.
 */
export class Lookout {
  readonly #files: NumberedFiles;
  readonly #standingOf: StandingOf;
  /** Those that did not count when they were looked at. */
  #passed = new Set<number>();
  #turn = 0;

  constructor(files: NumberedFiles, standingOf: StandingOf) {
    this.#files = files;
    this.#standingOf = standingOf;
  }

  /** Undefined where there is no such ticket any more. @throws the errors of the system calls. */
  async placeOf(own: number): Promise<Place | undefined> {
    const numbers = await this.#files.numbers();
    const looking = { standingOf: this.#standingOf, last: greatest(numbers) };
    const counts = async (number: number) => {
      const ticket = await ticketAt(this.#files, number, looking);
      const isCounted = ticket?.isStopped === false;
      if (isCounted) this.#passed.delete(number);
      else this.#passed.add(number);
      return isCounted;
    };
    if (!numbers.includes(own) || !(await counts(own))) return undefined;
    for (const number of numbers) if (number === own || (await counts(number))) break;
    const others = numbers.filter((number) => number !== own);
    for (let more = Math.min(mostInPassing, others.length); more > 0; more--) {
      this.#turn += 1;
      await counts(others[this.#turn % others.length] ?? own);
    }
    this.#passed = new Set(numbers.filter((number) => this.#passed.has(number)));
    const counted = numbers.filter((number) => !this.#passed.has(number));
    return { position: counted.indexOf(own) + 1, of: counted.length };
  }
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
