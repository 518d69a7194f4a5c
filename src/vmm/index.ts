export { type AssessVmmOptions, assessVmm, type VmmAssessment } from './assess.ts';
export { probeMemory } from './probe/index.ts';
