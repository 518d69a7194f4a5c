export { buildInitVm, type HostOffer } from './init-vm.ts';
export type { InitialPages, MemoryLayout, MemorySlot } from './memory-layout.ts';
export { type PlanOptions, planTd, type TdPlan } from './td-plan.ts';
export { vcpuLimits } from './vcpu-limits.ts';
