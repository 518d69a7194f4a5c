/** Whatever is found of a TD, one row of the table fits it, and a person is told what is so. */
import { describe, expect, test } from 'vitest';
import { presences } from '../../../src/keeper/presence.ts';
import { conclude, fits } from '../../../src/keeper/recovery/conclude.ts';
import {
  type CloserLook,
  type Evidence,
  nextFound,
} from '../../../src/keeper/recovery/evidence.ts';
import { type RecoveryRowId, recoveryTable } from '../../../src/keeper/recovery/table.ts';
import { type UnderWay, underWayOf, underWays } from '../../../src/keeper/recovery/under-way.ts';
import { isOver } from '../../../src/keeper/state.ts';
import type { StatusRecord } from '../../../src/keeper/status.ts';
import { identity, status } from '../support.ts';

const nextNames = Object.keys(nextFound) as (keyof typeof nextFound)[];
const at = (uptimeMs: number) => ({ at: '2026-11-30T10:00:00.000Z', uptimeMs });
const closer: CloserLook = {
  journalProblems: [],
  vmHolders: [],
  socketIsStale: false,
  keySlotsInUse: undefined,
};

function evidence(td: Partial<StatusRecord> | null, over: Partial<Evidence> = {}): Evidence {
  const keeper = { ...identity(), pid: 4711 };
  const record = td === null ? null : status('web', { since: at(1000), ...td });
  return {
    ...{ name: 'web', now: at(61_000), isThisBoot: true, keeper, presence: 'gone', vmm: 'nobody' },
    files: { kind: 'read', status: { version: 1, keeper, life: 1, td: record } },
    ...{ lock: undefined, lastRecord: undefined, closer: undefined },
    ...over,
  };
}

/** One piece of evidence for each thing that can have been under way. */
const each: Readonly<Record<UnderWay, Evidence>> = {
  unreadable: evidence(null, {
    files: { kind: 'damaged', why: 'status.json: it is empty' },
    keeper: undefined,
  }),
  nothing: evidence(null, { files: { kind: 'halfMade' }, keeper: undefined }),
  waiting: evidence({ state: 'queued', holdsKeySlot: false }),
  building: evidence({ state: 'provisioning.creatingVm', holdsKeySlot: false }),
  holding: evidence({ state: 'running' }),
  movedAway: evidence({ state: 'movedAway', holdsKeySlot: false }),
  over: evidence({ state: 'destroyed', holdsKeySlot: false }),
};

/** All that can be found together. Of a TD without a keeper, nobody's process is looked for. */
function* everything(): Generator<Evidence> {
  const nexts = [undefined, ...nextNames.map((name) => ({ pid: 4712, found: name }))];
  const holders = [undefined, { ...closer, vmHolders: [{ pid: 42, program: 'qemu' }] }];
  for (const found of Object.values(each)) {
    const hasKeeper = found.keeper !== undefined;
    const seen = hasKeeper
      ? (Object.keys(presences) as (keyof typeof presences)[])
      : ['nobody' as const];
    for (const presence of seen) {
      for (const lock of ['held', 'free', undefined] as const) {
        for (const look of holders) {
          for (const next of nexts) {
            for (const vmm of vmms(presence)) {
              yield { ...found, presence, vmm, lock, closer: look, next };
            }
          }
        }
      }
    }
  }
}

/** The process of a VMM is looked for where the keeper is gone. */
const vmms = (presence: Evidence['presence']) =>
  ['exiting', 'gone', 'recycled'].includes(presence)
    ? (['nobody', 'lives', 'stopped', 'exiting', 'gone', 'recycled'] as const)
    : (['nobody'] as const);
const vmmIsThere = ({ vmm }: Evidence) => ['lives', 'stopped', 'exiting'].includes(vmm);

test('the pieces of evidence are what their names say', () => {
  expect(Object.keys(each)).toEqual(Object.keys(underWays));
  for (const [name, found] of Object.entries(each)) expect(underWayOf(found)).toBe(name);
});

test('a row fits whatever is found, and each row fits something first', () => {
  const first = new Set<string>();
  for (const found of everything()) first.add(conclude(found).row.id);
  expect([...first].sort()).toEqual(recoveryTable.map(({ id }) => id).sort());
});

test('nobody is told a word in braces, and nothing twice', () => {
  for (const found of everything()) {
    const { notes } = conclude(found).td;
    expect(notes.join(' ')).not.toMatch(/[{}]|undefined/);
    expect(new Set(notes).size).toBe(notes.length);
  }
});

test('a TD whose keepers are gone, and no VMM has it, holds no key slot, and can be removed', () => {
  for (const found of everything()) {
    if (found.next?.found === 'lives' || found.next?.found === 'stopped') continue;
    const { td } = conclude(found);
    const isGone = ['gone', 'recycled', 'rebooted'].includes(found.presence);
    if (isGone && !vmmIsThere(found))
      expect([td.holdsKeySlot, isOver(td.state)]).toEqual([false, true]);
  }
});

test('what a process that is there may hold is never said to be over before its keeper says so', () => {
  for (const found of everything()) {
    const isThere = ['lives', 'stopped', 'exiting'].includes(found.presence);
    if (!isThere && !vmmIsThere(found)) continue;
    if (['over', 'movedAway'].includes(underWayOf(found))) continue;
    expect(isOver(conclude(found).td.state)).toBe(false);
  }
});

describe('in words', () => {
  const cases: readonly (readonly [
    RecoveryRowId,
    Evidence,
    Partial<ReturnType<typeof conclude>['td']>,
  ])[] = [
    [
      'alive',
      evidence({ state: 'running' }, { presence: 'lives' }),
      { state: 'running', holdsKeySlot: true, notes: [], sinceMs: 60_000 },
    ],
    [
      'lost-with-slot',
      evidence({ state: 'provisioning.initializingTd', holdsKeySlot: false }),
      {
        state: 'lost',
        notes: [
          'its keeper, process 4711, died as it was provisioning.initializingTd, and the kernel took the TD down; its key slot is free',
        ],
      },
    ],
    [
      'lost-before-slot',
      evidence({ state: 'provisioning.cappingVcpus', holdsKeySlot: false }),
      {
        state: 'lost',
        notes: [
          'its keeper, process 4711, died as it was provisioning.cappingVcpus; no key slot was taken',
        ],
      },
    ],
    [
      'lost-before-slot',
      evidence(null),
      {
        state: 'lost',
        notes: ['its keeper, process 4711, died as it was about to begin; no key slot was taken'],
      },
    ],
    [
      'rebooted',
      evidence({ state: 'running' }, { presence: 'rebooted', isThisBoot: false }),
      {
        state: 'lost',
        notes: ['the host was booted since, and nothing is left of the TD; it was running'],
      },
    ],
    [
      'held-by-others',
      evidence(
        { state: 'running' },
        { closer: { ...closer, vmHolders: [{ pid: 42, program: 'qemu' }] } },
      ),
      {
        state: 'lost',
        notes: [
          'its keeper, process 4711, died as it was running; the kernel has taken the TD down unless one of these has its VM: qemu (42)',
        ],
      },
    ],
    ['moved', evidence({ state: 'movedAway', holdsKeySlot: false }), { state: 'moved', notes: [] }],
    [
      'left-for-the-next',
      evidence(
        { state: 'movedAway', holdsKeySlot: false },
        { presence: 'lives', next: { pid: 4712, found: 'lives' } },
      ),
      {
        ...{ state: 'moving', holdsKeySlot: true },
        notes: ['it has moved from process 4711 to process 4712, which will say soon how it is'],
      },
    ],
    [
      // Its last word is in the journal, and not in the status yet.
      'left-for-one-that-stands-still',
      evidence(
        { state: 'running' },
        {
          ...{ presence: 'stopped', next: { pid: 4712, found: 'stopped' } },
          lastRecord: { at: at(31_000), outcome: 'moved' },
        },
      ),
      { state: 'unknown', holdsKeySlot: true },
    ],
    [
      'lost-after-move',
      evidence(
        { state: 'movedAway', holdsKeySlot: false },
        { next: { pid: 4712, found: 'diedWithTd' } },
      ),
      { state: 'lost', holdsKeySlot: false },
    ],
    [
      'over',
      evidence({
        state: 'stuck',
        holdsKeySlot: false,
        leftovers: [{ step: 'releasing', code: 'TDCTL_E_IOCTL', message: 'vCPU 1 was not closed' }],
      }),
      { state: 'stuck', notes: ['vCPU 1 was not closed'] },
    ],
  ];
  test.each(cases)('%s', (id, found, told) => {
    const { row, td } = conclude(found);
    expect(row.id).toBe(id);
    expect(td).toMatchObject(told);
  });
});

test('the end in the journal is the truth where the status is older', () => {
  const found = evidence(
    { state: 'releasing' },
    { lastRecord: { at: at(31_000), outcome: 'destroyed' } },
  );
  expect(conclude(found).td).toMatchObject({
    ...{ state: 'destroyed', holdsKeySlot: false, sinceMs: 30_000, notes: [] },
  });
});

test('what was given back is told as far as is known where a keeper died without its last word', () => {
  const found = evidence(
    { state: 'running' },
    { lastRecord: { at: at(31_000), outcome: undefined } },
  );
  // It ran until then, and died later.
  expect(conclude(found).td).toMatchObject({ state: 'lost', sinceMs: 30_000 });
});

test('what a dead keeper waited for, nobody waits for', () => {
  const waiting = { state: 'releasing', waitingFor: 'the last fd' } as const;
  expect(conclude(evidence(waiting)).td.notes.join()).not.toContain('waits for');
  const alive = conclude(evidence(waiting, { presence: 'lives' }));
  expect(alive.td.notes).toEqual(['waits for the last fd']);
});

test('the clock of the wall may be set back: how long something is so follows the time since boot', () => {
  const since = { at: '2030-01-01T00:00:00.000Z', uptimeMs: 1000 };
  const found = evidence({ state: 'running', since }, { presence: 'lives' });
  expect(conclude(found).td).toMatchObject({ since: since.at, sinceMs: 60_000 });
  // Of another boot only the wall's clock can tell, and nothing is less than nothing ago.
  const before = { ...found, presence: 'rebooted', isThisBoot: false } as const;
  expect(conclude(before).td.sinceMs).toBe(0);
});

test('a closer look tells of a journal that is not whole, and of key slots in use', () => {
  const found = evidence(
    { state: 'running' },
    {
      closer: {
        ...closer,
        journalProblems: ['half a record'],
        keySlotsInUse: 3,
        socketIsStale: true,
      },
    },
  );
  expect(conclude(found).td.notes.slice(1)).toEqual([
    'half a record',
    'its socket is there, and nobody serves it',
    'the host has 3 key slots in use: `tdctl host`',
  ]);
});

test('the conditions of a row are all heeded', () => {
  const row = {
    id: 'x',
    found: '',
    state: 'lost',
    holdsKeySlot: false,
    done: '',
    told: [],
  } as const;
  const found = { presence: 'gone', vmm: 'lives', lock: 'free', closer } as const;
  expect(fits(row, 'over', found)).toBe(true);
  expect(fits({ ...row, underWay: ['nothing'] }, 'over', found)).toBe(false);
  expect(fits({ ...row, presence: ['lives'] }, 'over', found)).toBe(false);
  expect(fits({ ...row, vmm: ['gone'] }, 'over', found)).toBe(false);
  expect(fits({ ...row, lock: 'held' }, 'over', found)).toBe(false);
  expect(fits({ ...row, othersHoldVms: true }, 'over', found)).toBe(false);
});
