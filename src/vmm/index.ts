export { type AssessVmmOptions, assessVmm, type VmmAssessment } from './assess.ts';
export { chooseCid } from './choose-cid.ts';
export { type PlanVmmOptions, planVmm } from './plan-vmm.ts';
export { probeMemory } from './probe/index.ts';
