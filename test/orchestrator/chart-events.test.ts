/** What a run tells of its chart is enough to make it again: the journal of a kept TD rests on that. */
import { expect, test } from 'vitest';
import { type AnyEventObject, initialTransition, transition } from 'xstate';
import { type TdOutcome, tdLifecycle } from '../../machines/td-lifecycle/index.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { startTd, type TdRun, type TdRunOptions } from '../../src/orchestrator/index.ts';
import { planTd } from '../../src/plan/index.ts';
import { askHost } from '../../src/plan/judge/index.ts';
import { injectorOf, parseFault } from '../../src/simulator/index.ts';
import { firmware, profile, spec } from '../support/hello-plan.ts';

interface Life {
  readonly faults?: readonly string[];
  readonly aroundStep?: TdRunOptions['aroundStep'];
  readonly live: (td: TdRun) => Promise<void>;
  readonly ends: TdOutcome;
}

async function toTheEnd(td: TdRun): Promise<void> {
  await td.ended;
}

async function wholeLife(td: TdRun): Promise<void> {
  await td.runnable;
  td.send({ type: 'td.start' });
  await td.reaches('running');
  td.send({ type: 'td.pause' });
  await td.reaches('paused');
  td.send({ type: 'td.resume' });
  await td.reaches('running');
  td.stop();
  await td.ended;
}

async function stoppedAtOnce(td: TdRun): Promise<void> {
  td.stop();
  await td.ended;
}

const lives: Readonly<Record<string, Life>> = {
  'runs, is paused, resumed and stopped': { live: wholeLife, ends: 'destroyed' },
  'is stopped while it is built': { live: stoppedAtOnce, ends: 'destroyed' },
  'meets an error': { faults: ['TDH.MNG.CREATE=TDX_OPERAND_BUSY'], live: toTheEnd, ends: 'failed' },
  'is refused a step by who looks at each of them': {
    aroundStep: (state, run) =>
      state === 'creatingVcpus' ? Promise.reject(new Error('no')) : run(),
    live: toTheEnd,
    ends: 'failed',
  },
};

async function play({ faults = [], aroundStep, live }: Life) {
  const read = faults.map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(fault.problem);
    return fault;
  });
  const host = openSimulatedHost({ profile, faults: injectorOf(read) });
  const plan = planTd({ spec, firmware, host: await askHost(host) });
  const told: AnyEventObject[] = [];
  const td = startTd({
    ...{ host, plan, aroundStep },
    onEvent: () => undefined,
    onChartEvent: (event) => void told.push(JSON.parse(JSON.stringify(event))),
  });
  await live(td);
  await host.close();
  return { td, told };
}

test.each(Object.entries(lives))(
  'the events of a TD that %s give its snapshot again, read back from JSON',
  async (_, life) => {
    const { td, told } = await play(life);
    const [first, ...events] = told;
    expect(first?.type).toBe('xstate.init');
    let [snapshot] = initialTransition(tdLifecycle, first?.input);
    // biome-ignore lint/suspicious/noExplicitAny: the events of ended actors are in no type.
    for (const event of events) [snapshot] = transition(tdLifecycle, snapshot, event as any);
    const made = JSON.parse(JSON.stringify(snapshot.toJSON()));
    const { value, context, status } = JSON.parse(JSON.stringify(td.persisted));
    expect(made).toMatchObject({ value, context, status });
    expect({ value, status }).toEqual({ value: life.ends, status: 'done' });
  },
);
