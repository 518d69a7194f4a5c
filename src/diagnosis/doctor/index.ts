export type { Status } from './check.ts';
export { explainCheck } from './explain.ts';
export type { DoctorFacts, KeySlotFacts, KvmAnswers, SlotHolder } from './facts.ts';
export { foundInLog } from './found-in-log.ts';
export { readFacts } from './read-facts.ts';
export { type CheckResult, type Diagnosis, diagnose } from './run-checks.ts';
