/** Gives the chart its effects: one actor per step, bound to one session. */
import { fromPromise } from 'xstate';
import {
  type TdStepActor,
  type TdStepState,
  tdLifecycle,
  tdSteps,
} from '../../machines/td-lifecycle/index.ts';
import { knownFacts } from './refusal-facts.ts';
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
    fromPromise<Output>(({ signal }) => {
      const state = stateOf(actor);
      const work = timed({ session, state, effect, signal });
      // The chart leaves a working state as soon as it is told to stop, and the result of the
      // promise is then thrown away. So the ledger tracks it: teardown waits for it, and releases
      // what it made.
      return session.ledger.track(state, work);
    });
  const teardown = <Output>(state: string, effect: Effect<Output>) =>
    fromPromise<Output>(({ signal }) => timed({ session, state, effect, signal }));

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

interface Working<Output> {
  readonly session: TdSession;
  readonly state: string;
  readonly effect: Effect<Output>;
  readonly signal: AbortSignal;
}

async function timed<Output>({ session, state, effect, signal }: Working<Output>): Promise<Output> {
  const startedAt = performance.now();
  const end = (result: 'done' | 'failed' | 'interrupted') =>
    session.publish({
      event: 'step.ended',
      step: state,
      result,
      durationMs: performance.now() - startedAt,
      requests: session.requests.take(),
    });
  try {
    const output = await effect(session, signal);
    end(signal.aborted ? 'interrupted' : 'done');
    return output;
  } catch (error) {
    end(signal.aborted ? 'interrupted' : 'failed');
    throw toStepError(state, error, await knownFacts(session, error));
  }
}
