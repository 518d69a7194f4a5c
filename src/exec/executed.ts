/** What there is to say of a command once it is over. */
import type { SimulatedMachine } from '../simulator/index.ts';
import type { StepResult, UnreachedStep } from './run-script/index.ts';
import type { ExecSummary } from './summary.ts';

export interface Executed {
  readonly summary: ExecSummary;
  readonly expectations: Expectations;
}

/** What became of the script of its guests. */
export interface Expectations {
  readonly results: readonly StepResult[];
  readonly unreached: readonly UnreachedStep[];
}

/** Of the machine that has answered. */
export interface MachineNames {
  readonly profile: string;
  readonly kernel: string;
  readonly module: string | undefined;
}

export function machineNames({ profile, kernelAbi }: SimulatedMachine): MachineNames {
  return { profile: profile.name, kernel: kernelAbi.name, module: profile.module?.release };
}
