/** One process in the line for the key slots of a host, and who else is in it. */
import { type NumberedFiles, numberedFiles } from '../../files/index.ts';
import { notWritable } from '../../files/not-writable.ts';
import { presenceOf, vantage } from '../presence.ts';
import type { StateDirectory } from '../state-directory.ts';
import { tdFiles } from '../td-files.ts';
import { tryTdLock } from '../td-lock.ts';
import { sharedSlots } from './slots.ts';
import {
  giveUpTicket,
  Lookout,
  type Place,
  type Standing,
  type StandingOf,
  type Ticket,
  type TicketOwner,
  takeTicket,
  waitingTickets,
} from './tickets.ts';

/** Everybody who waits for a key slot of the host, the next one first. Nobody does where slots are not shared. */
export async function readLine(state: StateDirectory, host: string): Promise<Ticket[]> {
  const slots = sharedSlots(state, host);
  if (slots === undefined) return [];
  return await waitingTickets(numberedFiles(slots.queue), standings(state));
}

interface LineOptions {
  readonly state: StateDirectory;
  readonly owner: TicketOwner;
  /** The directory of the line. */
  readonly queue: string;
}

/** Every method throws TdctlError TDCTL_E_NOT_WRITABLE. */
export class Line {
  readonly #path: string;
  readonly #owner: TicketOwner;
  readonly #files: NumberedFiles;
  readonly #lookout: Lookout;
  #ticket = 0;

  constructor({ state, owner, queue }: LineOptions) {
    this.#path = queue;
    this.#owner = owner;
    this.#files = numberedFiles(queue);
    this.#lookout = new Lookout(this.#files, standings(state));
  }

  async join(): Promise<number> {
    this.#ticket = await this.#told(takeTicket(this.#files, this.#owner));
    return this.#ticket;
  }

  async place(): Promise<Place> {
    for (;;) {
      const place = await this.#told(this.#lookout.placeOf(this.#ticket));
      if (place !== undefined) return place;
      // Somebody has removed it by hand.
      await this.join();
    }
  }

  async leave(): Promise<void> {
    await this.#told(giveUpTicket(this.#files, this.#ticket));
  }

  async #told<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (cause) {
      throw notWritable({ path: this.#path, what: 'place in the queue' }, cause);
    }
  }
}

function standings(state: StateDirectory): StandingOf {
  const from = vantage();
  return async (owner) => {
    const presence = presenceOf(owner, from);
    if (presence === 'lives' || presence === 'stopped') {
      return presence === 'lives' ? 'waits' : 'stopped';
    }
    return presence === 'elsewhere' ? await standingElsewhere(state, owner) : 'gone';
  };
}

/** Its number tells nothing in this PID namespace; the lock of its TD does. */
async function standingElsewhere(state: StateDirectory, { td }: TicketOwner): Promise<Standing> {
  try {
    const lock = await tryTdLock(tdFiles(state, td).lock);
    if (lock === 'held') return 'waits';
    if (lock !== 'moved') lock.release();
    return 'gone';
  } catch {
    return 'gone';
  }
}
