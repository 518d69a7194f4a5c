export type { PlanWarning } from './after-start.ts';
export { type ExpectedStep, expectedSteps } from './expected-requests.ts';
export { type Footprint, footprintOf } from './footprint.ts';
export { type HostPamt, hostPamt, pamtSaving } from './host-pamt.ts';
export { buildInitVm } from './init-vm.ts';
export type { InitialPages, MemoryLayout, MemorySlot } from './memory-layout.ts';
export { type Assessment, assessTd, type PlanOptions, planTd, type TdPlan } from './td-plan.ts';
