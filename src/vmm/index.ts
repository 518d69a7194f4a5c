export { type AssessVmmOptions, assessVmm, planVmm, type VmmAssessment } from './assess.ts';
export { probeMemory } from './probe/index.ts';
