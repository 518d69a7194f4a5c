/** This module gives the chart of a TD its effects. */
import {
  destinationSteps,
  runSteps,
  tdLifecycle,
  tdSteps,
  teardownSteps,
} from '../../machines/td-lifecycle/index.ts';
import { bound } from './bound.ts';
import { quickChart } from './quick-chart.ts';
import type { TdSession } from './session.ts';
import { stepErrorIn } from './step-error.ts';
import { mirrorMemory, setCpuid } from './steps/destination.ts';
import { finalizeTd } from './steps/finalize.ts';
import { addMemory } from './steps/memory.ts';
import { enterVcpus, leaveVcpus, watchVcpus } from './steps/running.ts';
import { releaseTd, settleStep, stopVcpus, terminateTd } from './steps/teardown.ts';
import { createVcpus, initializeVcpus } from './steps/vcpus.ts';
import { capVcpus, createVm, initializeTd, readLimits } from './steps/vm.ts';

const { actors, bind, wait } = bound<TdSession>((session, { step, error }) =>
  stepErrorIn(session, step, error),
);

export const bindTd = bind;

const [entering, running, pausing, stopping] = runSteps;
const settling = { state: 'interrupting', actor: 'settleStep' } as const;

/** The chart has its effects, and each actor of it needs {@link bindTd}. */
export const tdLifecycleOnHost = quickChart(
  tdLifecycle.provide({
    actors: {
      // The chart leaves a working state as soon as it is told to stop, and the result of the promise is
      // then thrown away. So the ledger tracks it: teardown waits for it, and releases what it made.
      ...actors(
        [...tdSteps, ...destinationSteps, entering],
        {
          createVm,
          readLimits,
          capVcpus,
          initializeTd,
          createVcpus,
          initializeVcpus,
          addMemory,
          finalizeTd,
          setCpuid,
          mirrorMemory,
          enterVcpus,
        },
        ({ ledger }, { state, work }) => ledger.track(state, work),
      ),
      watchVcpus: wait(running.state, watchVcpus),
      ...actors([pausing, stopping, settling, ...teardownSteps], {
        leaveVcpus,
        stopVcpus,
        settleStep,
        terminateTd,
        releaseTd,
      }),
    },
  }),
);
