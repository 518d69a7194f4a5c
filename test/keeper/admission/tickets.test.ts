/**
 * The line for key slots, with processes that are held up and die between any two file operations. One operation is
 * done at a time: fast-check says whose, in stretches, so that one process does much while another is held up; and
 * after how many of its own each of them dies.
 */
import { setImmediate as settled } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NumberedFiles } from '../../../src/files/index.ts';
import {
  giveUpTicket,
  Lookout,
  type TicketOwner,
  takeTicket,
  waitingTickets,
} from '../../../src/keeper/admission/tickets.ts';

const ownerNumbered = (pid: number): TicketOwner => ({
  td: `td-${pid}`,
  pid,
  startTime: '1',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
});

/** The directory: what each operation does is at once, as link(2), unlink(2) and truncate(2) are. */
class Directory {
  readonly files = new Map<number, string>();

  operations(): NumberedFiles {
    const { files } = this;
    return {
      numbers: async () => [...files.keys()].sort((one, other) => one - other),
      read: async (number) => files.get(number),
      create: async (number, content) => {
        if (files.has(number)) return false;
        files.set(number, content);
        return true;
      },
      empty: async (number) => {
        if (files.has(number)) files.set(number, '');
      },
      remove: async (number) => {
        files.delete(number);
      },
    };
  }
}

class Killed extends Error {}

interface Stretch {
  readonly pid: number;
  readonly steps: number;
}

/** A play of four processes needs some 60. */
const mostRounds = 400;

/** Lets one process go on at a time. */
class Conductor {
  readonly #held = new Map<number, () => void>();

  async step(pid: number): Promise<void> {
    await new Promise<void>((resolve) => this.#held.set(pid, resolve));
  }

  /** The stretches as they are given, and then everybody by turns. */
  async conduct(stretches: readonly Stretch[]): Promise<void> {
    for (const { pid, steps } of stretches) {
      for (let step = 0; step < steps; step++) if (!(await this.#letGo(pid))) break;
    }
    for (let round = 0; this.#held.size > 0; round++) {
      // Everybody goes on in each round, so somebody waits for what never comes.
      if (round === mostRounds) throw new Error('the line stands still');
      for (const pid of [...this.#held.keys()]) await this.#letGo(pid);
    }
  }

  async #letGo(pid: number): Promise<boolean> {
    const go = this.#held.get(pid);
    this.#held.delete(pid);
    go?.();
    // It comes to its next operation, or to its end.
    await settled();
    return go !== undefined;
  }
}

/** A process that does nothing any more after so many operations. */
interface Process {
  readonly pid: number;
  readonly operations: NumberedFiles;
  isAlive: boolean;
}

interface World {
  readonly directory: Directory;
  readonly conductor: Conductor;
  readonly processes: Map<number, Process>;
  /** What happened, in the order in which it did. */
  readonly entries: Entry[];
}

function startProcess(world: World, pid: number, diesAfter: number | null): Process {
  const { directory, conductor, processes } = world;
  const plain = directory.operations();
  let done = 0;
  const scheduled =
    <Input extends unknown[], Output>(work: (...input: Input) => Promise<Output>) =>
    async (...input: Input): Promise<Output> => {
      await conductor.step(pid);
      // One that is dead never goes on, whatever it catches.
      if (!started.isAlive) throw new Killed();
      if (done++ === diesAfter) throw die();
      return await work(...input);
    };
  const die = () => {
    started.isAlive = false;
    world.entries.push({ what: 'dies', pid });
    return new Killed();
  };
  const started: Process = {
    pid,
    isAlive: true,
    operations: {
      numbers: scheduled(plain.numbers),
      read: scheduled(plain.read),
      create: scheduled(plain.create),
      empty: scheduled(plain.empty),
      remove: scheduled(plain.remove),
    },
  };
  processes.set(pid, started);
  return started;
}

const standingIn =
  ({ processes }: World) =>
  ({ pid }: TicketOwner) =>
    processes.get(pid)?.isAlive === true ? 'waits' : 'gone';

interface Taker {
  readonly diesAfter: number | null;
}

type Entry = {
  readonly what: 'asks' | 'has' | 'turn' | 'leaves' | 'dies';
  readonly pid: number;
  readonly ticket?: number;
};

/** Takes a ticket, looks again and again whether it is the first, has a slot for a while, and leaves. */
async function takeTurn(world: World, { pid, operations }: Process): Promise<void> {
  const note = (what: Entry['what']) => void world.entries.push({ what, pid });
  note('asks');
  const number = await takeTicket(operations, ownerNumbered(pid));
  world.entries.push({ what: 'has', pid, ticket: number });
  const lookout = new Lookout(operations, standingIn(world));
  for (;;) {
    const place = await lookout.placeOf(number);
    if (place?.position === 1) break;
  }
  note('turn');
  await world.conductor.step(pid);
  note('leaves');
  await giveUpTicket(operations, number);
}

const takers = fc.array<Taker>(
  fc.record({ diesAfter: fc.option(fc.nat({ max: 24 }), { freq: 2, nil: null }) }),
  { minLength: 1, maxLength: 4 },
);

const stretches = fc.array<Stretch>(
  fc.record({ pid: fc.nat({ max: 3 }), steps: fc.integer({ min: 1, max: 16 }) }),
  { maxLength: 12 },
);

/** All of them take their turns, and those that do not die come to their end. */
async function play(given: readonly Taker[], stretches: readonly Stretch[]): Promise<World> {
  const world: World = {
    directory: new Directory(),
    conductor: new Conductor(),
    processes: new Map(),
    entries: [],
  };
  const all = given.map(({ diesAfter }, pid) =>
    takeTurn(world, startProcess(world, pid, diesAfter)).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    }),
  );
  await settled();
  await world.conductor.conduct(stretches);
  await Promise.all(all);
  return world;
}

/** The turns that were taken, in order. */
const turnsOf = (entries: readonly Entry[]) =>
  entries.filter(({ what }) => what === 'turn').map(({ pid }) => pid);

function expectOneTurnEach({ processes, entries }: World): void {
  const turns = turnsOf(entries);
  expect(new Set(turns).size).toBe(turns.length);
  const alive = [...processes.values()].filter(({ isAlive }) => isAlive);
  expect(turns).toEqual(expect.arrayContaining(alive.map(({ pid }) => pid)));
}

/** Who had a ticket before another asked for one comes before him. */
function expectOrder({ entries }: World): void {
  const at = (what: Entry['what'], pid: number) =>
    entries.findIndex((entry) => entry.what === what && entry.pid === pid);
  const turns = turnsOf(entries);
  for (const [index, earlier] of turns.entries()) {
    for (const later of turns.slice(index + 1)) {
      expect(at('has', later) < at('asks', earlier)).toBe(false);
    }
  }
}

function expectOneAtATime({ entries }: World): void {
  let has: number | undefined;
  for (const { what, pid } of entries) {
    if (what === 'turn') {
      expect(has).toBeUndefined();
      has = pid;
    } else if (has === pid) {
      has = undefined;
    }
  }
}

function expectNoNumberTwice({ entries }: World): void {
  const numbers = entries.flatMap(({ ticket }) => ticket ?? []);
  expect(new Set(numbers).size).toBe(numbers.length);
}

async function expectNothingLeft({ directory }: World): Promise<void> {
  expect(await waitingTickets(directory.operations(), () => 'gone')).toEqual([]);
  expect(directory.files.size).toBeLessThanOrEqual(1);
}

test('whoever dies wherever: everybody who lives has one turn, in order, alone, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(takers, stretches, async (given, stretches) => {
      const world = await play(given, stretches);
      expectOneTurnEach(world);
      expectOrder(world);
      expectOneAtATime(world);
      expectNoNumberTwice(world);
      await expectNothingLeft(world);
    }),
    { numRuns: 1500 },
  );
});

test('however many wait, a look reads few tickets, and the place is right in the end', async () => {
  const directory = new Directory();
  const plain = directory.operations();
  const count = 200;
  for (let pid = 1; pid <= count; pid++) await takeTicket(plain, ownerNumbered(pid));
  // A third have died and a third are stopped, but for the first and the last of all.
  const standings = ['waits', 'gone', 'stopped'] as const;
  const standingOf = ({ pid }: TicketOwner) =>
    pid === 1 || pid === count ? 'waits' : (standings[pid % 3] ?? 'waits');
  let reads = 0;
  const counted: NumberedFiles = {
    ...plain,
    read: async (number) => {
      reads += 1;
      return await plain.read(number);
    },
  };
  const lookout = new Lookout(counted, standingOf);
  const waiting = (await waitingTickets(plain, standingOf)).filter(({ isStopped }) => !isStopped);
  for (let look = 0; look < count; look++) {
    reads = 0;
    await lookout.placeOf(count);
    expect(reads).toBeLessThanOrEqual(10);
  }
  expect(await lookout.placeOf(count)).toEqual({ position: waiting.length, of: waiting.length });
  expect(await lookout.placeOf(1)).toEqual({ position: 1, of: waiting.length });
});

test('what is no ticket is nobody’s', async () => {
  const directory = new Directory();
  const files = directory.operations();
  for (const content of ['', '{', '[]', 'null', '{"td":"a","pid":"1"}', '{"td":"a","pid":1}']) {
    await files.create(directory.files.size + 1, content);
  }
  await takeTicket(files, ownerNumbered(1));
  const waiting = await waitingTickets(files, () => 'waits');
  expect(waiting).toEqual([{ ...ownerNumbered(1), number: 7, isStopped: false }]);
});

test('the last ticket of the line stays, so that its number is not given twice, and is emptied once its owner is dead', async () => {
  const directory = new Directory();
  const files = directory.operations();
  for (const pid of [1, 2]) await takeTicket(files, ownerNumbered(pid));
  expect(await waitingTickets(files, () => 'gone')).toEqual([]);
  expect([...directory.files]).toEqual([[2, '']]);
  expect(await takeTicket(files, ownerNumbered(3))).toBe(3);
});
