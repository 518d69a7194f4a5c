export { type AssessVmmOptions, assessVmm, type VmmAssessment } from './assess.ts';
export { chooseCid } from './choose-cid.ts';
export { probeMemory } from './probe/index.ts';
