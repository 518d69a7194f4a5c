import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeptTd } from '../../src/keeper/kept-td.ts';
import { type SlotsSeen, slotLedger } from '../../src/keeper/slot-ledger.ts';
import { vmHoldings } from '../../src/keeper/vm-holders.ts';

const td = (name: string, over: Partial<KeptTd> = {}): KeptTd => ({
  ...{ name, labels: {}, state: 'running', chartState: 'running', life: 1, holdsKeySlot: true },
  ...{ since: '2026-11-30T10:00:00.000Z', sinceMs: 1000, createdAt: null },
  ...{ host: { name: 'kvm', simulated: false }, kernel: { id: '7.3.0' } },
  ...{ vcpus: 4, memoryBytes: 18e9, mrtd: null, error: null, notes: [], queue: null, leftMs: null },
  keeper: {
    ...{ pid: 812, tdctl: '0.1.0', api: { oldest: 1, newest: 1 } },
    ...{ startedAt: '2026-11-30T10:00:00.000Z', unit: null, lives: true },
  },
  ...over,
});

const seen: SlotsSeen = {
  ...{ hostName: 'kvm', slots: { total: 15, used: 6 }, measured: [] },
  tds: [
    td('web'),
    td('db', { state: 'paused' }),
    td('old', { state: 'draining', keeper: null }),
    td('over', { state: 'destroyed', holdsKeySlot: false }),
    td('elsewhere', { host: { name: 'sim:spr-1.5', simulated: true } }),
  ],
  holdings: { found: [{ pid: 4711, program: 'qemu-system-x86', vmFds: 2 }], isComplete: true },
};

describe('the slot ledger', () => {
  test('says of each slot whose it is, and of one that is nobody’s that it may be lost', () => {
    const ledger = slotLedger(seen);
    expect(ledger).toMatchObject({
      ...{ countedFor: 'host', ours: 2, draining: 1, foreign: 2, suspectedLeaks: 1 },
      foreignProcesses: [{ pid: 4711, program: 'qemu-system-x86', vmFds: 2 }],
    });
    expect(ledger.kept.map(({ name }) => name)).toEqual(['web', 'db', 'old']);
    // 4 vCPUs and 18 GB took 72 s (src/simulator/costs.ts).
    expect(ledger.kept[2]?.leftMs).toBeGreaterThan(60_000);
  });

  test('accounts for every slot that is in use, once, where it can tell at all', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(6),
        fc.nat(6),
        fc.array(fc.nat(3), { maxLength: 4 }),
        fc.boolean(),
        (used, running, releasing, vms, isComplete) => {
          const tds = [
            ...Array.from({ length: running }, (_, index) => td(`r${index}`)),
            ...Array.from({ length: releasing }, (_, index) =>
              td(`o${index}`, { state: 'releasing' }),
            ),
          ];
          const found = vms.map((count, pid) => ({ pid, program: 'x', vmFds: count }));
          const { ours, draining, foreign, suspectedLeaks } = slotLedger({
            ...{ ...seen, slots: { total: 20, used }, tds, holdings: { found, isComplete } },
          });
          expect([ours, draining]).toEqual([running, releasing]);
          if (foreign === null || suspectedLeaks === null) {
            expect(isComplete).toBe(false);
            return;
          }
          // A TD gives its slot back a moment before its keeper has written that down.
          expect(foreign + suspectedLeaks).toBe(Math.max(0, used - ours - draining));
        },
      ),
    );
  });

  test('does not guess: without counts, or without a look into every process', () => {
    const unknown = { foreign: null, suspectedLeaks: null };
    expect(slotLedger({ ...seen, slots: undefined })).toMatchObject({ ours: 2, ...unknown });
    const holdings = { found: [], isComplete: false };
    expect(slotLedger({ ...seen, holdings })).toMatchObject(unknown);
    expect(slotLedger({ ...seen, holdings, slots: { total: 15, used: 3 } })).toMatchObject({
      foreign: 0,
      suspectedLeaks: 0,
    });
  });

  test('does not mix TDs that have a simulated machine each into the slots of one', () => {
    const ledger = slotLedger({ ...seen, hostName: 'sim:spr-1.5' });
    expect(ledger).toMatchObject({ countedFor: 'each keeper', ours: 1, foreign: null });
    expect(ledger.kept.map(({ name }) => name)).toEqual(['elsewhere']);
  });
});

describe('the processes that have VMs open', () => {
  test('are found by their fds, and those that are excepted are not', async (context) => {
    // Under `tdctl exec` a memfd of this name stands for a VM.
    const child = spawn(
      'python3',
      [
        '-c',
        'import os,time; os.memfd_create("kvm-vm"); print("has it", flush=True); time.sleep(600)',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    context.onTestFinished(async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    const has = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      once(child, 'error').then(() => false),
    ]);
    if (!has) context.skip('python3 is not there');
    const pid = child.pid ?? 0;
    const holding = (except: number[]) =>
      vmHoldings(new Set(except)).found.find((each) => each.pid === pid);
    expect(holding([])).toEqual({ pid, program: expect.stringMatching(/^python/), vmFds: 1 });
    expect(holding([pid])).toBeUndefined();
  });
});
