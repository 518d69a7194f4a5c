/** Scripts that stand for guest code (docs/run-script.md). load.ts reads files of them. */
export {
  type CallStatus,
  defaultRunScript,
  type GuestAction,
  type RunScript,
  type ScriptStep,
  type VcpuProgram,
} from './run-script.ts';
export { ScriptedGuest, type StepResult, type UnreachedStep } from './scripted-guest.ts';
