export type {
  FoundVmm,
  VmmReleased,
  VmmSettled,
  VmmTdContext,
  VmmTdInput,
  Watched,
} from './context.ts';
export type { VmmTdEvent } from './events.ts';
export { VMM_TD_VERSION, type VmmTdStateId, vmmTd } from './machine.ts';
export { vmmTags } from './setup.ts';
export { vmmRunSteps, vmmSteps, vmmTeardownSteps } from './steps.ts';
