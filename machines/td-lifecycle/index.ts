export type { FailedLeaf, Refusal, RefusalFacts, StepError } from '../step-error.ts';
export type {
  Finalized,
  LimitsRead,
  Released,
  Settled,
  TdContext,
  TdInput,
  TdOutcome,
  TdOutput,
  VcpuLimits,
} from './context.ts';
export { ends, tdOutput } from './ends.ts';
export type { TdEvent } from './events.ts';
export { type BindingLimit, bindingLimit, limitNames } from './limits.ts';
export { TD_LIFECYCLE_VERSION, type TdStateId, tdLifecycle } from './machine.ts';
export { tdTags } from './setup.ts';
export {
  destinationSteps,
  runSteps,
  type TdStep,
  type TdStepActor,
  type TdStepState,
  type TeardownStepState,
  tdSteps,
  teardownSteps,
  type Undo,
} from './steps.ts';
