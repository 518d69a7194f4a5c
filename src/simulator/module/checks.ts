/** The simulated module makes the checks of a leaf that the book lists, in the leaf's order. */
import {
  type LeafCheck,
  type LeafCheckName,
  leafChecks,
  type ModuleCheckName,
} from '../../abi/tdx/checks/index.ts';
import { type ModuleRelease, tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import type { SeamcallName } from '../../abi/tdx/seamcalls.ts';
import { statusWord } from '../../abi/tdx/status.ts';
import type { ModuleState } from './module-state.ts';

/**
 * The leaf did not do what it was asked. The refusal has the row that it met, and the status that says
 * so.
 */
export interface LeafRefusal {
  readonly check: ModuleCheckName;
  readonly status: bigint;
}

/** A leaf answers undefined for TDX_SUCCESS. */
export type LeafAnswer = LeafRefusal | undefined;

/** The conditions of a leaf are keyed by the name of their check, and each is true where it refuses. */
export type LeafSteps<Leaf extends SeamcallName, Call> = Readonly<
  Record<LeafCheckName<Leaf>, (call: Call) => boolean>
>;

/**
 * A made check is one check of a leaf, with its condition and its answer. It is made once, so that a
 * refusal allocates nothing.
 */
interface MadeCheck<Call> {
  readonly row: LeafCheck;
  readonly refuses: (call: Call) => boolean;
  readonly refusals: Readonly<Record<ModuleRelease['statusCodes'], LeafRefusal>>;
}

/** Gives the checks of a leaf in the order of the book. */
export function checksOf<Leaf extends SeamcallName, Call>(
  leaf: Leaf,
  steps: LeafSteps<Leaf, Call>,
): readonly MadeCheck<Call>[] {
  return Object.entries<LeafCheck>(leafChecks[leaf]).map(([name, row]) => {
    const check = name as LeafCheckName<Leaf> & ModuleCheckName;
    const { status, statusOf1Dot0 = status, operand } = row;
    const refusals = {
      '1.0': { check, status: statusWord(statusOf1Dot0, operand) },
      '1.5': { check, status: statusWord(status, operand) },
    };
    return { row, refuses: steps[check], refusals };
  });
}

/** Gives the first refusal, or undefined when the call has passed every check of the leaf. */
export function firstRefusal<Call extends { readonly module: ModuleState }>(
  checks: readonly MadeCheck<Call>[],
  call: Call,
): LeafAnswer {
  const { release } = call.module;
  for (const { row, refuses, refusals } of checks) {
    if (isMade(row, release) && refuses(call)) return refusals[release.statusCodes];
  }
  return undefined;
}

function isMade({ onlyWith, onlyWithout }: LeafCheck, { features0 }: ModuleRelease): boolean {
  if (onlyWith !== undefined) return (features0 & tdxFeatures0[onlyWith]) !== 0n;
  if (onlyWithout !== undefined) return (features0 & tdxFeatures0[onlyWithout]) === 0n;
  return true;
}
