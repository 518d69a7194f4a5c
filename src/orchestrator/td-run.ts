/** Runs the chart for one TD on one host. */
import { type AnyEventObject, createActor } from 'xstate';
import {
  TD_LIFECYCLE_VERSION,
  type TdContext,
  type TdEvent,
  type TdStateId,
} from '../../machines/td-lifecycle/index.ts';
import { clockOf } from '../host/clock.ts';
import type { Host } from '../host/port.ts';
import type { TdPlan } from '../plan/index.ts';
import { chartRun } from './chart-run.ts';
import type { TdEventBody, TdRunEvent } from './events.ts';
import { exitsOf } from './guest.ts';
import type { KeptRun } from './kept-run.ts';
import { bindTd, tdLifecycleOnHost } from './provide.ts';
import {
  type AroundStep,
  type ConsoleListener,
  newSession,
  type Origin,
  type TdSession,
} from './session.ts';

export interface TdRun extends KeptRun {
  send(event: TdEvent): boolean;
  readonly state: TdStateId;
  readonly context: TdContext;
  /** The session has the host, plan and handles of the TD, which a migration works with. */
  readonly session: TdSession;
}

export interface TdRunOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly onEvent: (event: TdRunEvent) => void;
  /** Milliseconds of the clock that events carry. Without it, the clock of the host is used. */
  readonly now?: (() => number) | undefined;
  readonly aroundStep?: AroundStep | undefined;
  /** Without this, `request.answered` is not among the events: a sixth of a run on a simulated host. */
  readonly tellsRequests?: boolean | undefined;
  /** With an origin, the run prepares a destination for this TD instead of building one. */
  readonly origin?: Origin | undefined;
  /** Hears what the guest writes. Without it, that is lost. */
  readonly console?: ConsoleListener | undefined;
  /** Hears each event on its way into the chart, from `xstate.init` with the input on. */
  readonly onChartEvent?: ((event: AnyEventObject) => void) | undefined;
}

export function startTd(options: TdRunOptions): TdRun {
  const { host, plan, onEvent, now = clockOf(options.host) } = options;
  const { origin, aroundStep, console, onChartEvent, tellsRequests = true } = options;
  const startedAt = now();
  let state: TdStateId = 'absent';
  const publish = (body: TdEventBody) =>
    onEvent({
      td: plan.spec.name,
      machine: 'td-lifecycle',
      machineVersion: TD_LIFECYCLE_VERSION,
      state,
      elapsedMs: now() - startedAt,
      ...body,
    });

  const given = { origin, aroundStep, console, tellsRequests };
  const session = newSession({ host, plan, publish, now, ...given });
  const actor = createActor(tdLifecycleOnHost, {
    input: {
      name: plan.spec.name,
      vcpus: plan.vcpuIds.length,
      initializesFirst: !plan.facts.kernel.vcpusBeforeInitVm,
    },
  });
  bindTd(actor, session);
  const chart = chartRun<TdEvent, TdStateId>(actor, {
    ...{ from: state, publish, onChartEvent },
    onEntered: (entered) => {
      state = entered;
    },
  });

  actor.start();
  actor.send({ type: origin === undefined ? 'td.create' : 'td.receive' });
  const runnable = chart.reaches('runnable');
  // Both promises fail together on a defect, and a caller may await only one of them.
  runnable.catch(() => undefined);

  return {
    runnable,
    ended: chart.ended,
    stop: chart.stop,
    send: chart.send,
    isIn: chart.isIn,
    reaches: chart.reaches,
    input: (bytes) =>
      session.handles.has('guest') ? session.handles.get('guest').input(bytes) : 0,
    session,
    get state() {
      return state;
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get persisted() {
      return chart.persisted;
    },
    get waitingFor() {
      return session.ledger.waitingFor;
    },
    get exits() {
      return exitsOf(session);
    },
  };
}
