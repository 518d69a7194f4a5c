/** Gives the chart its effects: one actor per step, bound to one session. */
import { fromPromise } from 'xstate';
import {
  type TdStepActor,
  type TdStepState,
  tdLifecycle,
  tdSteps,
} from '../../machines/td-lifecycle/index.ts';
import type { TdSession } from './session.ts';
import { toStepError } from './step-error.ts';
import { finalizeTd } from './steps/finalize.ts';
import { addMemory } from './steps/memory.ts';
import { releaseTd, settleStep, terminateTd } from './steps/teardown.ts';
import { createVcpus, initializeVcpus } from './steps/vcpus.ts';
import { capVcpus, createVm, initializeTd, readLimits } from './steps/vm.ts';

type Effect<Output> = (session: TdSession, signal: AbortSignal) => Promise<Output>;

export function provideEffects(session: TdSession) {
  const step = <Output>(actor: TdStepActor, effect: Effect<Output>) =>
    fromPromise<Output>(({ signal }) =>
      runStep({ session, state: stateOf(actor), effect, signal }),
    );
  const teardown = <Output>(what: string, effect: Effect<Output>) =>
    fromPromise<Output>(({ signal }) => asStepErrors(what, effect(session, signal)));

  return tdLifecycle.provide({
    actors: {
      createVm: step('createVm', createVm),
      readLimits: step('readLimits', readLimits),
      capVcpus: step('capVcpus', capVcpus),
      initializeTd: step('initializeTd', initializeTd),
      createVcpus: step('createVcpus', createVcpus),
      initializeVcpus: step('initializeVcpus', initializeVcpus),
      addMemory: step('addMemory', addMemory),
      finalizeTd: step('finalizeTd', finalizeTd),
      settleStep: teardown('interrupting', settleStep),
      terminateTd: teardown('terminating', terminateTd),
      releaseTd: teardown('releasing', releaseTd),
    },
  });
}

function stateOf(actor: TdStepActor): TdStepState {
  const step = tdSteps.find((candidate) => candidate.actor === actor);
  if (!step) throw new Error(`no step has the actor ${actor}`);
  return step.state;
}

interface Running<Output> {
  readonly session: TdSession;
  readonly state: TdStepState;
  readonly effect: Effect<Output>;
  readonly signal: AbortSignal;
}

/**
 * The chart leaves a working state as soon as it is told to stop, and the result of the promise is
 * then thrown away. So the ledger tracks it: teardown waits for it and releases what it made.
 */
async function runStep<Output>({
  session,
  state,
  effect,
  signal,
}: Running<Output>): Promise<Output> {
  const startedAt = performance.now();
  session.requests.begin();
  const end = (result: 'done' | 'failed' | 'interrupted') =>
    session.publish({
      event: 'step.ended',
      step: state,
      result,
      durationMs: performance.now() - startedAt,
      requests: session.requests.end(),
    });
  const work = asStepErrors(state, effect(session, signal)).then(
    (output) => {
      end(signal.aborted ? 'interrupted' : 'done');
      return output;
    },
    (error: unknown) => {
      end(signal.aborted ? 'interrupted' : 'failed');
      throw error;
    },
  );
  return session.ledger.track(state, work);
}

async function asStepErrors<Output>(step: string, work: Promise<Output>): Promise<Output> {
  try {
    return await work;
  } catch (error) {
    throw toStepError(step, error);
  }
}
