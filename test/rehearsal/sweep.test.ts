/** The sweep: every fault of a run, and what a broken tdctl looks like in it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  collapsed,
  type FaultCase,
  formatRehearsalFault,
  invariants,
  leastPlayed,
  pairsOf,
  parseRehearsalFault,
  proveAll,
  type RehearsalHooks,
  randomCases,
  reduce,
  rehearseSimulated,
  representative,
  singleFaults,
  sweep,
} from '../../src/rehearsal/index.ts';
import { profile } from '../support/hello-plan.ts';
import { fault, play, scenarioOf } from './play.ts';

/** Plays each fault of a run, or of every few the first. */
async function sweepOf(kernelAbi: string, everyNth = 1) {
  const scenario = await scenarioOf({ kernelAbi });
  const place = { profile, kernelAbi };
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  const all = singleFaults(trace);
  const cases = all.filter((_, index) => index % everyNth === 0);
  return { all, cases, swept: await sweep({ place, scenario, cases }) };
}

function expectHarmless({ all, cases, swept }: Awaited<ReturnType<typeof sweepOf>>) {
  expect(swept.violations).toEqual([]);
  expect(swept.played).toBe(cases.length);
  expect(swept.outcomes.get('not met') ?? 0).toBe(0);
  expect(all.length).toBeGreaterThan(900);
}

/** The sweep of all faults that two tests look at. */
let all: ReturnType<typeof sweepOf> | undefined;
function sweepOfAll() {
  all ??= sweepOf('rfc-migration-v2');
  return all;
}

const isFull = process.env.TDCTL_SWEEP === 'full';

describe('--faults each', () => {
  // All faults of these are played by `npm run sweep`.
  test.each(['upstream-7.3', 'rfc-migration-v1', 'series-v9', 'proposal-1b'])(
    '%s: no fault breaks an invariant, and each was met',
    async (kernelAbi) => expectHarmless(await sweepOf(kernelAbi, isFull ? 1 : 5)),
  );

  test('rfc-migration-v2: so too, and only a fault inside the ioctl that moves loses a TD, after it killed the source', async () => {
    const played = await sweepOfAll();
    expectHarmless(played);
    const { swept } = played;
    const losing = swept.rows.filter(({ cells }) =>
      cells.some(({ outcome }) => outcome === 'TD lost by the kernel'),
    );
    expect(losing.map(({ state }) => state)).toEqual(['irrevocable.moving']);
    const kept = losing
      .flatMap(({ cells }) => cells)
      .filter(({ outcome }) => outcome === 'source kept');
    expect(kept.map(({ kind }) => kind)).toContain(
      'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs = EINTR',
    );
  });

  test('what a few equal calls come to is what all of them come to', async () => {
    const kernelAbi = 'rfc-migration-v2';
    const { all, swept } = await sweepOfAll();
    const kindsOf = ({ faults: [first], lane, state }: FaultCase) =>
      JSON.stringify([lane, state, { ...first, nth: 0, signalBeforePage: 0 }]);
    const groups = collapsed(all);
    const shortened = groups.filter((group) => leastPlayed(group) <= (group.equal ?? []).length);
    const kinds = new Set(shortened.map(kindsOf));
    // A kind of fault that no call was left out of is played as it always was.
    const cases = groups.filter((group) => kinds.has(kindsOf(group)));
    const scenario = await scenarioOf({ kernelAbi });
    const few = await sweep({ place: { profile, kernelAbi }, scenario, cases });
    expect(few.played).toBeLessThan(few.standsFor / 3);
    const whole = new Set(table(swept));
    expect(table(few).filter((line) => !whole.has(line))).toEqual([]);
    const left = cases.reduce((sum, { equal = [] }) => sum + 1 + equal.length, 0);
    expect(few.standsFor).toBe(left);
  });

  test('every fault can be written as text and read again', async () => {
    const { trace } = await play({ kernelAbi: 'rfc-migration-v2', traced: true });
    for (const { faults } of singleFaults(trace)) {
      for (const each of faults)
        expect(parseRehearsalFault(formatRehearsalFault(each))).toEqual(each);
    }
  });
});

/** How many faults of each kind came to what, in each step. */
function table({ rows }: Awaited<ReturnType<typeof sweep>>) {
  return rows.flatMap(({ lane, state, cells }) =>
    cells.map(
      ({ kind, standsFor, outcome }) => `${lane} ${state} ${kind}: ${standsFor} ${outcome}`,
    ),
  );
}

describe('by chance', () => {
  test('the same seed plays the same faults, another seed others', async () => {
    const { trace } = await play({ kernelAbi: 'rfc-migration-v2', traced: true });
    const cases = singleFaults(trace);
    const texts = (seed: number) =>
      [...randomCases(cases, { seed, runs: 50 })].map(({ faults }) =>
        faults.map(formatRehearsalFault),
      );
    expect(texts(7)).toEqual(texts(7));
    expect(texts(7)).not.toEqual(texts(8));
  });

  test.each(['rfc-migration-v2', 'rfc-migration-v1', 'pre-v8'])(
    '%s: up to four faults at once break nothing',
    async (kernelAbi) => {
      const scenario = await scenarioOf({ kernelAbi, hops: 2 });
      const place = { profile, kernelAbi };
      const { trace } = await rehearseSimulated(place, { scenario, traced: true });
      const cases = randomCases(singleFaults(trace), { seed: 20261124, runs: 400 });
      const swept = await sweep({ place, scenario, cases });
      expect(swept.violations).toEqual([]);
      expect(swept.played).toBe(400);
    },
  );
});

test('of equal calls in a row the first two and the last stand for all', async () => {
  const { trace } = await play({ kernelAbi: 'rfc-migration-v2', traced: true });
  const chosen = representative(singleFaults(trace)).map(({ faults: [first] }) =>
    first === undefined ? '' : formatRehearsalFault(first),
  );
  const extends_ = chosen.filter((text) => text.startsWith('TDH.MR.EXTEND'));
  expect(extends_).toEqual([
    'TDH.MR.EXTEND=TDX_OPERAND_BUSY|SEPT_TREE',
    'TDH.MR.EXTEND#2=TDX_OPERAND_BUSY|SEPT_TREE',
    'TDH.MR.EXTEND#240=TDX_OPERAND_BUSY|SEPT_TREE',
  ]);
});

test('a sweep ends where it is told to, and says so', async () => {
  const scenario = await scenarioOf({ kernelAbi: 'rfc-migration-v2' });
  const place = { profile, kernelAbi: 'rfc-migration-v2' };
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  const stop = new AbortController();
  const swept = await sweep({
    place,
    scenario,
    cases: singleFaults(trace),
    signal: stop.signal,
    onCase: (done) => {
      if (done === 5) stop.abort();
    },
  });
  expect(swept).toMatchObject({ played: 5, cut: true });
});

/** An undo that does nothing and claims that it did. */
const brokenUndo: RehearsalHooks = {
  aroundStep: async (state, run) => {
    const claimed: Readonly<Record<string, unknown>> = {
      takingDownDestination: { leftovers: [] },
      keepingSource: { stopped: false },
      resumingSource: {},
    };
    if (!(state in claimed)) return run();
    return claimed[state] as Awaited<ReturnType<typeof run>>;
  },
};

/** A teardown that forgets to close anything. */
const brokenTeardown: RehearsalHooks = {
  aroundStep: async (state, run) => {
    if (state !== 'releasing') return run();
    return { leftovers: [] } as Awaited<ReturnType<typeof run>>;
  },
};

describe('a tdctl that is broken on purpose', () => {
  test('an undo that does nothing is caught, and reduced to the fewest faults and moves', async () => {
    const kernelAbi = 'rfc-migration-v2';
    const place = { profile, kernelAbi };
    const scenario = await scenarioOf({ kernelAbi, count: 2, hops: 2 });
    const { trace } = await rehearseSimulated(place, { scenario, traced: true });
    // The lock of the move, with faults before it that the kernel takes in its stride.
    const singles = singleFaults(trace);
    const harmless = singles.filter(({ faults: [first] }) => first?.at === 'TDH.MNG.RD');
    const refused = singles.filter(({ faults: [first] }) => first?.at.endsWith('lock both VMs'));
    const cases = pairsOf([...harmless.slice(0, 4), ...refused]);
    const swept = await sweep({ place, scenario, cases, hooks: brokenUndo });
    const found = swept.violations.find(
      ({ violation, faults }) => violation.invariant === 'undo-harmless' && faults.length > 1,
    );
    if (found === undefined) throw new Error('the broken undo was not caught');

    const shortest = await reduce({ place, scenario, found, hooks: brokenUndo });
    expect(shortest.faults).toHaveLength(1);
    expect(shortest.scenario.standard).toMatchObject({ count: 1, hops: 1 });
    expect(shortest.scenario.operations.map(({ do: verb }) => verb)).toEqual([
      'provision',
      'migrate',
      'stop',
    ]);
    const again = await rehearseSimulated(place, { ...shortest, hooks: brokenUndo });
    expect(again.violations.map(({ invariant }) => invariant)).toContain('undo-harmless');
    const healthy = await rehearseSimulated(place, shortest);
    expect(healthy.violations).toEqual([]);
  });

  test('what only breaks at a late call is shown at the first that breaks in a smaller scenario', async () => {
    const kernelAbi = 'rfc-migration-v2';
    const place = { profile, kernelAbi };
    const scenario = await scenarioOf({ kernelAbi, count: 3, hops: 3 });
    const last = parseRehearsalFault('KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs#9=EINTR');
    if ('problem' in last) throw new Error(last.problem);
    const { violations } = await rehearseSimulated(place, {
      scenario,
      faults: [last],
      hooks: brokenUndo,
    });
    const violation = violations.find(({ invariant }) => invariant === 'undo-harmless');
    if (violation === undefined) throw new Error('the broken undo was not caught');
    const found = { violation, faults: [last] };
    const shortest = await reduce({ place, scenario, found, hooks: brokenUndo });
    expect(shortest.scenario.standard).toMatchObject({ count: 1, hops: 1 });
    expect(shortest.faults.map(formatRehearsalFault)).toEqual([
      'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs=EINTR',
    ]);
  });

  test('a fault that a file names is never left out', async () => {
    const kernelAbi = 'rfc-migration-v2';
    const place = { profile, kernelAbi };
    const scenario = await scenarioOf({ kernelAbi });
    const [kept, cause] = [
      'TDH.MNG.RD=TDX_OPERAND_BUSY|TDR',
      'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs=EINTR',
    ].map(fault);
    if (kept === undefined || cause === undefined) throw new Error('two faults');
    const found = {
      violation: { invariant: 'undo-harmless', detail: '' } as const,
      faults: [kept, cause],
    };
    const shortest = await reduce({ place, scenario, found, kept: [kept], hooks: brokenUndo });
    expect(shortest.faults).toEqual([kept, cause]);
  });

  test('a teardown that closes nothing is caught without any fault', async () => {
    const run = await play({ kernelAbi: 'upstream-7.3', hops: 0, hooks: brokenTeardown });
    expect(run.violations.map(({ invariant }) => invariant)).toEqual(['nothing-remains']);
  });

  test('a migration that gives up a TD which the destination has is caught', async () => {
    const hooks: RehearsalHooks = {
      aroundStep: async (state, run) => {
        if (state === 'arriving') throw new Error('broken');
        if (state !== 'askingDestination') return run();
        return { hasTd: false } as Awaited<ReturnType<typeof run>>;
      },
    };
    const run = await play({ kernelAbi: 'rfc-migration-v2', hooks });
    expect(run.violations.map(({ invariant }) => invariant)).toContain('owner-or-verdict');
  });

  test('a source that is said to be kept and does not run is caught', async () => {
    const faults = ['KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: lock both VMs=EINTR'];
    const run = await play({ kernelAbi: 'rfc-migration-v2', hooks: brokenUndo, faults });
    expect(run.violations.map(({ invariant }) => invariant)).toContain('kept-source-runs');
  });
});

describe('the three proofs', () => {
  test.each(['upstream-7.3', 'rfc-migration-v2', 'rfc-migration-v1', 'series-v9'])(
    '%s: every step repeated, failed and undone twice',
    async (kernelAbi) => {
      const proofs = await proveAll({ profile, kernelAbi }, await scenarioOf({ kernelAbi }));
      expect(proofs.filter(({ problem }) => problem !== undefined)).toEqual([]);
      expect(proofs.length).toBeGreaterThan(50);
    },
  );
});

test('faults of every run are in each run, and in what is found', async () => {
  const kernelAbi = 'rfc-migration-v2';
  const scenario = await scenarioOf({ kernelAbi });
  const always = [fault('KVM_CREATE_VCPU#3=ENOMEM')];
  const place = { profile, kernelAbi };
  const { trace } = await rehearseSimulated(place, { scenario, faults: always, traced: true });
  const cases = singleFaults(trace).slice(0, 10);
  const swept = await sweep({ place, scenario, cases, always, hooks: brokenTeardown });
  expect(swept.outcomes.get('unharmed')).toBeUndefined();
  expect(swept.violations.length).toBeGreaterThan(0);
  expect(swept.violations.every(({ faults }) => faults[0] === always[0])).toBe(true);
});

test('the table of a sweep does not grow with the combinations of faults', async () => {
  const kernelAbi = 'rfc-migration-v2';
  const scenario = await scenarioOf({ kernelAbi });
  const place = { profile, kernelAbi };
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  const singles = singleFaults(trace).filter(({ state }) => state === 'provisioning.creatingVm');
  const swept = await sweep({ place, scenario, cases: pairsOf(singles) });
  const cells = swept.rows.flatMap((row) => row.cells);
  expect(swept.played).toBeGreaterThan(singles.length * 2);
  expect(cells.length).toBeLessThanOrEqual(singles.length * 2);
  expect(cells.reduce((sum, { count }) => sum + count, 0)).toBe(swept.played);
});

test('each invariant has a section of its own in docs/invariants.md, and no other has', () => {
  const page = readFileSync('docs/invariants.md', 'utf8');
  const sections = [...page.matchAll(/^## ([a-z-]+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(invariants.map(({ name }) => name));
});
