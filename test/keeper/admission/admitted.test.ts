/** Real processes in the line for key slots, which are files here: who is killed gives his slot back. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, type TestContext, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { admitted, type HostWithSlots } from '../../../src/keeper/admission/admitted.ts';
import { readLine } from '../../../src/keeper/admission/line.ts';
import { readProcess } from '../../../src/keeper/process-stat.ts';
import type { StateDirectory } from '../../../src/keeper/state-directory.ts';
import { builtModule } from '../../support/built.ts';
import { until } from '../../support/processes.ts';
import { freshState, identity, type OtherProcess, otherProcess } from '../support.ts';

/** As in the sweeps: `npm run sweep` has the long form. */
const isFull = process.env.TDCTL_SWEEP === 'full';

/** A host whose slots are files: a new file takes one, and holds the number of its process. */
class Slots {
  readonly directory: string;
  readonly total: number;
  readonly #state: StateDirectory;

  constructor(state: StateDirectory, total: number) {
    this.#state = state;
    this.total = total;
    this.directory = join(state.path, 'slots');
    mkdirSync(this.directory);
  }

  /** Of each that is taken, by whom. */
  get takers(): number[] {
    return readdirSync(this.directory).map((name) =>
      Number(readFileSync(join(this.directory, name), 'utf8')),
    );
  }

  /** What the kernel does when the last fd of a TD is closed; and its keeper tells it, where it can. */
  freeOf(pid: number, { isTold }: { readonly isTold: boolean }): void {
    for (const name of readdirSync(this.directory)) {
      const path = join(this.directory, name);
      if (readFileSync(path, 'utf8') === String(pid)) rmSync(path);
    }
    if (isTold) writeFileSync(join(this.#state.path, 'measured.json'), '{}');
  }
}

/** Waits in line, says so, takes a slot when it is its turn, says so, and keeps it. */
function taker(
  context: TestContext,
  state: StateDirectory,
  { td, slots }: { td: string; slots: Slots },
) {
  const path = state.path;
  const code = `
    import { admitted } from ${JSON.stringify(builtModule('src/keeper/admission/admitted.ts'))};
    import { TdctlError } from ${JSON.stringify(builtModule('src/errors/index.ts'))};
    import { linkSync, writeFileSync, renameSync, rmSync } from 'node:fs';
    const { directory, total } = ${JSON.stringify({ directory: slots.directory, total: slots.total })};
    const own = directory + '-' + process.pid;
    writeFileSync(own, String(process.pid));
    const take = async () => {
      for (let slot = 0; slot < total; slot++) {
        try { linkSync(own, directory + '/' + slot); return; } catch {}
      }
      throw new TdctlError({ code: 'TDCTL_E_NO_KEY_SLOT', op: 'take one', message: 'none is free' });
    };
    const owner = { td: ${JSON.stringify(td)}, ...identity.ownIdentity({ tdctl: '0', chartVersion: 1 }) };
    await admitted({
      state, owner, queue: true,
      host: { name: 'kvm', keySlots: async () => undefined },
      onTicket: (kind) => { if (kind === 'queued') say(kind); },
    }, take);
    say('turn');
    await stay();
  `;
  return otherProcess(context, { path, code });
}

const owner = (td: string) => ({ td, ...identity() });
const freeSlots = (free: number | undefined): HostWithSlots => ({
  name: 'kvm',
  keySlots: async () => (free === undefined ? undefined : { total: 8, used: 8 - free }),
});

/** Starts them one after the other, so that their order is known. */
async function lineUp(
  context: TestContext,
  { state, slots, count }: { state: StateDirectory; slots: Slots; count: number },
): Promise<OtherProcess[]> {
  const takers: OtherProcess[] = [];
  for (let index = 0; index < count; index++) {
    const next = taker(context, state, { td: `td-${index}`, slots });
    expect(await next.line()).toBe('"queued"');
    takers.push(next);
  }
  return takers;
}

describe('processes that wait for a key slot', () => {
  test('come to it in order, whoever is killed, and one at a time for each slot', async (context) => {
    const state = await freshState(context);
    const slots = new Slots(state, 2);
    const takers = await lineUp(context, { state, slots, count: 7 });
    const [first, second, third, fourth, fifth, sixth, seventh] = takers as [
      OtherProcess,
      OtherProcess,
      OtherProcess,
      OtherProcess,
      OtherProcess,
      OtherProcess,
      OtherProcess,
    ];
    expect([await first.line(), await second.line()]).toEqual(['"turn"', '"turn"']);
    // One that waits in the middle, and the next one itself.
    await fifth.kill();
    await third.kill();
    await first.kill();
    slots.freeOf(first.pid, { isTold: true });
    expect(await fourth.line()).toBe('"turn"');
    expect(slots.takers.sort()).toEqual([second.pid, fourth.pid].sort());
    // Nobody tells of this one.
    await second.kill();
    slots.freeOf(second.pid, { isTold: false });
    expect(await sixth.line()).toBe('"turn"');
    expect((await readLine(state, 'kvm')).map(({ pid }) => pid)).toEqual([seventh.pid]);
    await fourth.kill();
    slots.freeOf(fourth.pid, { isTold: true });
    expect(await seventh.line()).toBe('"turn"');
    await until(() => readdirSync(join(state.path, 'queue')).length === 1);
    expect(await readLine(state, 'kvm')).toEqual([]);
  });

  test('come to it in order whomever chance kills, and nobody is forgotten', async (context) => {
    const state = await freshState(context);
    const slots = new Slots(state, 2);
    const waiting = await lineUp(context, { state, slots, count: isFull ? 24 : 5 });
    const holding: OtherProcess[] = [];
    // Another one that came first would have the slot, and this one would never say so.
    const letIn = async () => {
      while (holding.length < slots.total) {
        const next = waiting.shift();
        if (next === undefined) return;
        expect(await next.line()).toBe('"turn"');
        holding.push(next);
      }
    };
    await letIn();
    for (const choice of fc.sample(fc.nat(), waiting.length + holding.length)) {
      const place = choice % (holding.length + waiting.length);
      const from = place < holding.length ? holding : waiting;
      const [victim] = from.splice(from === holding ? place : place - holding.length, 1);
      await victim?.kill();
      if (from === holding) slots.freeOf(victim?.pid ?? 0, { isTold: choice % 3 !== 0 });
      await letIn();
    }
    expect([holding, waiting, slots.takers]).toEqual([[], [], []]);
    expect(await readLine(state, 'kvm')).toEqual([]);
  });

  test('pass over one that a signal has stopped, which keeps its place', async (context) => {
    const state = await freshState(context);
    const slots = new Slots(state, 1);
    const [holder, stopped, next] = (await lineUp(context, { state, slots, count: 3 })) as [
      OtherProcess,
      OtherProcess,
      OtherProcess,
    ];
    expect(await holder.line()).toBe('"turn"');
    stopped.child.kill('SIGSTOP');
    await until(() => readProcess(stopped.pid)?.state === 'T');
    await holder.kill();
    slots.freeOf(holder.pid, { isTold: true });
    expect(await next.line()).toBe('"turn"');
    stopped.child.kill('SIGCONT');
    await next.kill();
    slots.freeOf(next.pid, { isTold: true });
    expect(await stopped.line()).toBe('"turn"');
  });
});

describe('who does not wait', () => {
  test('does not come before those who do: he is told who they are', async (context) => {
    const state = await freshState(context);
    const slots = new Slots(state, 0);
    const [waiting] = await lineUp(context, { state, slots, count: 1 });
    let attempts = 0;
    const now = (host: HostWithSlots) =>
      admitted({ state, owner: owner('me'), host, queue: false }, async () => ++attempts);
    for (const free of [undefined, 0, 1]) {
      await expect(now(freeSlots(free))).rejects.toMatchObject({
        code: 'TDCTL_E_NO_KEY_SLOT',
        exitCode: 7,
        details: [`waits, place 1: td-0 (pid ${waiting?.pid})`],
      });
    }
    expect(attempts).toBe(0);
    // There is one for each who waits, and another.
    await now(freeSlots(2));
    expect(attempts).toBe(1);
    await waiting?.kill();
    await now(freeSlots(undefined));
    expect(attempts).toBe(2);
  });
});

describe('one that waits', () => {
  const noSlot = () => new TdctlError({ code: 'TDCTL_E_NO_KEY_SLOT', op: 'x', message: 'none' });

  test('does not try as long as the host tells that no slot is free', async (context) => {
    const state = await freshState(context);
    let [free, attempts] = [0, 0];
    const host: HostWithSlots = {
      name: 'kvm',
      keySlots: async () => {
        const slots = { total: 1, used: 1 - free };
        free = 1;
        return slots;
      },
    };
    const places: unknown[] = [];
    const onPlace = (place: unknown) => void places.push(place);
    await admitted(
      { state, owner: owner('me'), host, queue: true, onPlace },
      async () => ++attempts,
    );
    expect(attempts).toBe(1);
    expect(places).toEqual([{ position: 1, of: 1 }]);
  });

  test('leaves the line when it is told to, and when anything but a slot is missing', async (context) => {
    const state = await freshState(context);
    const tickets: string[] = [];
    const leaving = new AbortController();
    const waiting = (attempt: () => Promise<unknown>) =>
      admitted(
        {
          ...{ state, owner: owner('me'), host: freeSlots(undefined), queue: true },
          onTicket: (kind, ticket) => void tickets.push(`${kind} ${ticket}`),
          signal: leaving.signal,
        },
        attempt,
      );
    const cgroup = new TdctlError({ code: 'TDCTL_E_CGROUP_LIMIT', op: 'x', message: 'full' });
    await expect(waiting(() => Promise.reject(cgroup))).rejects.toBe(cgroup);
    expect(await readLine(state, 'kvm')).toEqual([]);
    const reason = new Error('asked to');
    const asked = waiting(async () => {
      leaving.abort(reason);
      throw noSlot();
    });
    await expect(asked).rejects.toBe(reason);
    expect(await readLine(state, 'kvm')).toEqual([]);
    expect(tickets).toEqual(['queued 1', 'unqueued 1', 'queued 2', 'unqueued 2']);
  });

  test('takes its place again where somebody has removed it', async (context) => {
    const state = await freshState(context);
    let tries = 0;
    await admitted(
      { state, owner: owner('me'), host: freeSlots(undefined), queue: true },
      async () => {
        if (tries++ > 0) return;
        rmSync(join(state.path, 'queue'), { recursive: true });
        throw noSlot();
      },
    );
    expect(tries).toBe(2);
  });

  test('on one shared host stands in no line of another one, nor of this machine', async (context) => {
    const state = await freshState(context);
    const slots = new Slots(state, 0);
    await lineUp(context, { state, slots, count: 1 });
    const full: HostWithSlots = { name: 'on:lab', keySlots: async () => undefined };
    const attempt = () => Promise.reject(noSlot());
    const leaving = new AbortController();
    const waits = admitted(
      { state, owner: owner('a'), host: full, queue: true, signal: leaving.signal },
      attempt,
    );
    await until(async () => (await readLine(state, 'on:lab')).length === 1);
    expect((await readLine(state, 'kvm')).map(({ td }) => td)).toEqual(['td-0']);
    const goesOn = (name: string) =>
      admitted(
        { state, owner: owner('b'), host: { ...full, name }, queue: false },
        async () => name,
      );
    expect(await goesOn('on:other')).toBe('on:other');
    await expect(goesOn('on:lab')).rejects.toMatchObject({
      details: [expect.stringMatching(/^waits, place 1: a /)],
    });
    const reason = new Error('asked to');
    leaving.abort(reason);
    await expect(waits).rejects.toBe(reason);
    expect(await readLine(state, 'on:lab')).toEqual([]);
  });

  test('on a machine that is its own alone does not wait: nobody would give a slot back', async (context) => {
    const state = await freshState(context);
    const host: HostWithSlots = {
      name: 'sim:spr-1.5',
      keySlots: async () => ({ total: 1, used: 1 }),
    };
    const asked = admitted({ state, owner: owner('me'), host, queue: true }, () =>
      Promise.reject(noSlot()),
    );
    await expect(asked).rejects.toMatchObject({ code: 'TDCTL_E_NO_KEY_SLOT' });
    expect(await readLine(state, 'kvm')).toEqual([]);
  });
});
