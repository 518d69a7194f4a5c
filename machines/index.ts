/** The registry: every statechart of tdctl, with its id and version. */
import { TD_LIFECYCLE_VERSION, tdLifecycle, tdSteps, teardownSteps } from './td-lifecycle/index.ts';

export const machines = [
  {
    id: tdLifecycle.id,
    version: TD_LIFECYCLE_VERSION,
    machine: tdLifecycle,
    steps: [...tdSteps, ...teardownSteps],
  },
] as const;
