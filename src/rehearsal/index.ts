export type { Believed, BelievedTd, Fate } from './believed.ts';
export { blackoutOf } from './blackout.ts';
export { type Comparison, compare } from './compare.ts';
export { cameTo, findingsIn, unmetExpectations } from './expectations.ts';
export {
  callOf,
  type FaultCase,
  pairCount,
  pairsOf,
  representative,
  singleFaults,
} from './faults/cases.ts';
export { collapsed, leastPlayed } from './faults/equal-calls.ts';
export {
  formatRehearsalFault,
  isCallDeath,
  isRecordDeath,
  parseRehearsalFault,
  type RecordDeath,
  type RecordPlace,
  type RehearsalFault,
  type Victim,
} from './faults/fault.ts';
export { randomCases } from './faults/random.ts';
export { type Reproduction, reduce } from './faults/reduce.ts';
export { type FoundViolation, type Sweep, type SweepRow, sweep } from './faults/sweep.ts';
export type { RehearsalHooks } from './hooks.ts';
export {
  invariants,
  judgeAtEnd,
  judgeAtRest,
  ownerOf,
  someTdDied,
  twoOwners,
  type Violation,
  violation,
} from './invariants/invariants.ts';
export { undone } from './invariants/undo.ts';
export { junit, junitSuite } from './junit.ts';
export { type Loss, lossesOf } from './losses.ts';
export { type Grade, gradeOf, grades, type Outcome, outcomes } from './outcome.ts';
export type { OperationResult } from './perform.ts';
export type { Place, PlayedRun, Player } from './player.ts';
export { type Proof, proveAll } from './proofs.ts';
export { type AnyStateId, type LaneStep, RunRecord } from './record.ts';
export type { RecordedEvent } from './recorded-event.ts';
export {
  describeOperation,
  hasOtherVcpus,
  type Rehearsal,
  rehearseOn,
  rehearseSimulated,
  skipped,
  type TracedCall,
} from './rehearse-once.ts';
export {
  type AskedOfRun,
  buildReport,
  factsIn,
  type PlayedFaults,
  type RehearsalReport,
  type ReportedRow,
  type ReportedRun,
  type ReportedSweep,
  type ReportParts,
  type Reproduce,
} from './report.ts';
export {
  type Operation,
  type Scenario,
  type SingleOperation,
  singleOperations,
  standardScenario,
} from './scenario.ts';
export { openStage, realStage, type Stage, type StageOptions } from './stage.ts';
export { unlessStuck } from './unless-stuck.ts';
export { destinationLane } from './world.ts';
