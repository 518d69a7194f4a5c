/** Unmodified programs on the simulated host (docs/exec.md). execute.ts is the way in. */

export type { Failure } from './answering.ts';
export { type CpuIdentity, readCpuIdentity, withCpuIdentity } from './cpu-identity.ts';
export type { AnsweredCall, CallListener } from './dispatcher.ts';
export { type ExecutedCommand, execute, type RunningCommand } from './execute.ts';
export { type Executed, type Expectations, type MachineNames, machineNames } from './executed.ts';
export { everyListener } from './listeners.ts';
export { ResetWatch } from './reset-watch.ts';
export {
  defaultRunScript,
  type RunScript,
  ScriptedGuest,
  type StepResult,
  type UnreachedStep,
} from './run-script/index.ts';
export type { CommandExit } from './signals.ts';
export {
  type ExecSummary,
  type RefusalSummary,
  SummaryCollector,
  type UnservedSummary,
  type VmSummary,
} from './summary.ts';
export { commandHeader, type Tracing, traceTo } from './tracing.ts';
