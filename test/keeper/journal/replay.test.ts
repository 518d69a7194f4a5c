/** A chart made again from its journal is the chart that was written down, at each record. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TD_LIFECYCLE_VERSION, type TdEvent } from '../../../machines/td-lifecycle/index.ts';
import { openSimulatedHost } from '../../../src/host/simulated/index.ts';
import { parseJournal } from '../../../src/keeper/journal/index.ts';
import type { JournalBody, JournalRecord } from '../../../src/keeper/journal/records.ts';
import { replay } from '../../../src/keeper/journal/replay.ts';
import { startTd, type TdRun } from '../../../src/orchestrator/index.ts';
import { planTd } from '../../../src/plan/index.ts';
import { askHost } from '../../../src/plan/judge/index.ts';
import { injectorOf, parseFault } from '../../../src/simulator/index.ts';
import { firmware, profile, spec } from '../../support/hello-plan.ts';
import { bytesOf } from './records.ts';

interface Played {
  readonly records: readonly JournalRecord[];
  /** What the live chart was after so many records. */
  readonly live: ReadonlyMap<number, unknown>;
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const part = ({ value, context, status }: Record<string, unknown>) =>
  plain({ value, context, status });

/** @param asked by the number of states entered: what is sent then, whether the state takes it or not. */
async function play(
  asked: ReadonlyMap<number, TdEvent['type']>,
  faults: readonly string[],
): Promise<Played> {
  const read = faults.map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
  const host = openSimulatedHost({ profile, faults: injectorOf(read) });
  const plan = planTd({ spec, firmware, host: await askHost(host) });
  const records: JournalRecord[] = [];
  const live = new Map<number, unknown>();
  const write = (body: JournalBody) =>
    records.push({ seq: records.length + 1, at: { at: '', uptimeMs: 0 }, ...body });
  let td: TdRun | undefined;
  let entered = 0;
  const now = () => {
    if (td !== undefined) live.set(records.length, part(plain(td.persisted)));
  };
  td = startTd({
    ...{ host, plan },
    onEvent: (event) => {
      if (event.event !== 'state.entered') return;
      entered += 1;
      const type = asked.get(entered);
      // Not while the chart tells of its state.
      if (type !== undefined) queueMicrotask(() => td?.send({ type } as TdEvent));
      if (event.state === 'runnable') queueMicrotask(() => td?.send({ type: 'td.start' }));
    },
    // The event comes before anything comes of it: the chart is still what the records before say.
    onChartEvent: (event) => {
      now();
      write(
        event.type === 'xstate.init'
          ? { kind: 'input', machineVersion: TD_LIFECYCLE_VERSION, input: event.input }
          : { kind: 'chart', event },
      );
    },
  });
  const ended = td.ended;
  // One that nobody has stopped is stopped once it runs.
  void td.reaches('running', 'paused').then(() => setImmediate(() => td?.stop()));
  await ended;
  now();
  await host.close();
  return { records, live };
}

const requests = ['td.stop', 'td.pause', 'td.resume', 'td.start', 'td.create'] as const;
const faults = [
  'KVM_CREATE_VM=ENOMEM',
  'TDH.MNG.CREATE=TDX_OPERAND_BUSY',
  'KVM_CREATE_VCPU=ENOMEM',
];

test('whatever is asked of a TD and whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 16 }), fc.constantFrom(...requests)), {
        maxLength: 4,
      }),
      fc.subarray(faults, { maxLength: 1 }),
      async (asked, failing) => {
        const { records, live } = await play(new Map(asked), failing);
        expect(live.size).toBeGreaterThan(1);
        // From the disk and back, as another process has them.
        const written = parseJournal(bytesOf(records)).records;
        for (const [length, snapshot] of live) {
          expect(part({ ...replay(written.slice(0, length)) })).toEqual(snapshot);
        }
        expect(replay(written)?.status).toBe('done');
      },
    ),
    { numRuns: 12 },
  );
});

test('a TD without a chart, and one of another version of the chart, is not made again', () => {
  const at = { at: '', uptimeMs: 0 };
  expect(replay([])).toBeUndefined();
  expect(
    replay([{ seq: 1, at, kind: 'input', machineVersion: TD_LIFECYCLE_VERSION + 1, input: {} }]),
  ).toBeUndefined();
});
