/** Runs the chart for one TD on one host. */
import { type AnyMachineSnapshot, createActor, type SnapshotFrom, waitFor } from 'xstate';
import type { TdContext, TdOutput, tdLifecycle } from '../../machines/td-lifecycle/index.ts';
import type { Host } from '../host/port.ts';
import type { TdPlan } from '../plan/index.ts';
import type { TdEventBody, TdRunEvent } from './events.ts';
import { bindSession, tdLifecycleOnHost } from './provide.ts';
import { newSession } from './session.ts';

export interface TdRun {
  /** Resolves when the TD is runnable, or false when it has ended without becoming so. */
  readonly runnable: Promise<boolean>;
  /** Resolves once everything is over; rejects only for a defect of tdctl. */
  readonly ended: Promise<TdOutput>;
  /** Takes everything down. May be called at any time and any number of times. */
  stop(): void;
  readonly context: TdContext;
  /** What the teardown is waiting for at this moment, in words. */
  readonly waitingFor: string | undefined;
}

export interface TdRunOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly onEvent: (event: TdRunEvent) => void;
}

type Snapshot = SnapshotFrom<typeof tdLifecycle>;

export function startTd({ host, plan, onEvent }: TdRunOptions): TdRun {
  const startedAt = performance.now();
  let state = 'absent';
  const publish = (body: TdEventBody) =>
    onEvent({
      td: plan.spec.name,
      machine: 'td-lifecycle',
      state,
      elapsedMs: performance.now() - startedAt,
      ...body,
    });

  const session = newSession({ host, plan, publish });
  const actor = createActor(tdLifecycleOnHost, {
    input: { name: plan.spec.name, vcpus: plan.vcpuIds.length },
  });
  bindSession(actor.system, session);
  const ended = new Promise<TdOutput>((resolve, reject) => {
    actor.subscribe({
      next: (snapshot) => {
        const entered = dotted(snapshot);
        if (entered === state) return;
        state = entered;
        publish({ event: 'state.entered' });
        if (snapshot.status === 'done') {
          const { outcome, error, leftovers } = snapshot.output;
          publish({ event: 'td.ended', outcome, error, leftovers });
          resolve(snapshot.output);
        }
      },
      error: reject,
    });
  });
  const runnable = waitFor(actor, isSettled).then((snapshot) => snapshot.matches('runnable'));
  // Both promises fail together on a defect, and a caller may await only one of them.
  runnable.catch(() => undefined);

  actor.start();
  actor.send({ type: 'td.create' });

  return {
    runnable,
    ended,
    stop: () => {
      if (actor.getSnapshot().status === 'active') actor.send({ type: 'td.stop' });
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get waitingFor() {
      return session.ledger.waitingFor;
    },
  };
}

function isSettled(snapshot: Snapshot): boolean {
  return snapshot.matches('runnable') || snapshot.status === 'done';
}

/** `{ provisioning: 'creatingVm' }` as `provisioning.creatingVm`. */
function dotted({ value }: AnyMachineSnapshot): string {
  if (typeof value === 'string') return value;
  const [[parent, child] = []] = Object.entries(value ?? {});
  return `${parent}.${String(child)}`;
}
