/** Gives the chart its effects: one actor per step, bound to the session of its chart. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnyActor, fromPromise } from 'xstate';
import {
  destinationSteps,
  runSteps,
  type TdStepActor,
  type TdStepState,
  tdLifecycle,
  tdSteps,
} from '../../machines/td-lifecycle/index.ts';
import type { TdSession } from './session.ts';
import { stepErrorIn } from './step-error.ts';
import { mirrorMemory, setCpuid } from './steps/destination.ts';
import { finalizeTd } from './steps/finalize.ts';
import { addMemory } from './steps/memory.ts';
import { enterVcpus, leaveVcpus, watchVcpus } from './steps/running.ts';
import { releaseTd, settleStep, stopVcpus, terminateTd } from './steps/teardown.ts';
import { createVcpus, initializeVcpus } from './steps/vcpus.ts';
import { capVcpus, createVm, initializeTd, readLimits } from './steps/vm.ts';

type Effect<Output> = (session: TdSession, signal: AbortSignal) => Promise<Output>;

// Above the chart, which is made as this file is loaded.
const allSteps = [...tdSteps, ...destinationSteps, ...runSteps];

type ActorSystem = AnyActor['system'];

/**
 * The session of each running chart. The actors find theirs by the actor system they run in, so
 * that the chart is provided once: doing it for each TD makes every state node anew, which took
 * half the time of a TD on a simulated host.
 */
const sessions = new WeakMap<ActorSystem, TdSession>();

/** Makes `session` the one that the actors of this chart work on; before it is started. */
export function bindSession(system: ActorSystem, session: TdSession): void {
  sessions.set(system, session);
}

function sessionOf(system: ActorSystem): TdSession {
  const session = sessions.get(system);
  if (!session) throw new Error('this chart was started without a session');
  return session;
}

function step<Output>(actor: TdStepActor, effect: Effect<Output>) {
  const state = stateOf(actor);
  const interruptible: Effect<Output> = async (session, signal) => {
    // A simulated host answers at once, so without a turn of the event loop between the steps a
    // signal would be seen only when all of them are done.
    await nextTurn();
    signal.throwIfAborted();
    return effect(session, signal);
  };
  return fromPromise<Output>(({ signal, system }) => {
    const session = sessionOf(system);
    const work = timed({ session, state, effect: interruptible, signal });
    // The chart leaves a working state as soon as it is told to stop, and the result of the
    // promise is then thrown away. So the ledger tracks it: teardown waits for it, and releases
    // what it made.
    return session.ledger.track(state, work);
  });
}

function teardown<Output>(state: string, effect: Effect<Output>) {
  return fromPromise<Output>(({ signal, system }) =>
    timed({ session: sessionOf(system), state, effect, signal }),
  );
}

/** The chart with its effects. Each actor of it needs {@link bindSession}. */
export const tdLifecycleOnHost = tdLifecycle.provide({
  actors: {
    createVm: step('createVm', createVm),
    readLimits: step('readLimits', readLimits),
    capVcpus: step('capVcpus', capVcpus),
    initializeTd: step('initializeTd', initializeTd),
    createVcpus: step('createVcpus', createVcpus),
    initializeVcpus: step('initializeVcpus', initializeVcpus),
    addMemory: step('addMemory', addMemory),
    finalizeTd: step('finalizeTd', finalizeTd),
    setCpuid: step('setCpuid', setCpuid),
    mirrorMemory: step('mirrorMemory', mirrorMemory),
    enterVcpus: step('enterVcpus', enterVcpus),
    watchVcpus: fromPromise<void>(({ signal, system }) => watch(sessionOf(system), signal)),
    leaveVcpus: teardown('pausing', leaveVcpus),
    stopVcpus: teardown('stopping', stopVcpus),
    settleStep: teardown('interrupting', settleStep),
    terminateTd: teardown('terminating', terminateTd),
    releaseTd: teardown('releasing', releaseTd),
  },
});

function stateOf(actor: TdStepActor): TdStepState {
  const step = allSteps.find((candidate) => candidate.actor === actor);
  if (!step) throw new Error(`no step has the actor ${actor}`);
  return step.state;
}

/** A wait without an end of its own is no step: nothing is timed, and no teardown waits for it. */
async function watch(session: TdSession, signal: AbortSignal): Promise<void> {
  try {
    await watchVcpus(session, signal);
  } catch (error) {
    throw await stepErrorIn(session, 'running', error);
  }
}

interface Working<Output> {
  readonly session: TdSession;
  readonly state: string;
  readonly effect: Effect<Output>;
  readonly signal: AbortSignal;
}

async function timed<Output>({ session, state, effect, signal }: Working<Output>): Promise<Output> {
  const startedAt = session.now();
  const end = (result: 'done' | 'failed' | 'interrupted') =>
    session.publish({
      event: 'step.ended',
      step: state,
      result,
      durationMs: session.now() - startedAt,
      requests: session.requests.take(),
    });
  try {
    const output = await session.aroundStep(state, () => effect(session, signal));
    end(signal.aborted ? 'interrupted' : 'done');
    return output;
  } catch (error) {
    end(signal.aborted ? 'interrupted' : 'failed');
    throw await stepErrorIn(session, state, error);
  }
}
