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

/** This is one check that a release makes of a leaf. It is made once, so that a refusal allocates nothing. */
interface MadeCheck<Call> {
  readonly refuses: (call: Call) => boolean;
  readonly refusal: LeafRefusal;
}

/** The checks of a leaf by release of the module. */
export type ChecksOfLeaf<Call> = (release: ModuleRelease) => readonly MadeCheck<Call>[];

/** The checks of a leaf in the order of the book. */
export function checksOf<Leaf extends SeamcallName, Call>(
  leaf: Leaf,
  steps: LeafSteps<Leaf, Call>,
): ChecksOfLeaf<Call> {
  const byRelease = new WeakMap<ModuleRelease, readonly MadeCheck<Call>[]>();
  return (release) => {
    const known = byRelease.get(release);
    if (known !== undefined) return known;
    const made = Object.entries<LeafCheck>(leafChecks[leaf])
      .filter(([, row]) => isMade(row, release))
      .map(([name, { status, statusOf1Dot0 = status, operand }]) => {
        const check = name as LeafCheckName<Leaf> & ModuleCheckName;
        const code = release.statusCodes === '1.0' ? statusOf1Dot0 : status;
        return { refuses: steps[check], refusal: { check, status: statusWord(code, operand) } };
      });
    byRelease.set(release, made);
    return made;
  };
}

/** Gives the first refusal, or undefined when the call has passed every check of the leaf. */
export function firstRefusal<Call extends { readonly module: ModuleState }>(
  checks: ChecksOfLeaf<Call>,
  call: Call,
): LeafAnswer {
  for (const { refuses, refusal } of checks(call.module.release)) {
    if (refuses(call)) return refusal;
  }
  return undefined;
}

function isMade({ onlyWith, onlyWithout }: LeafCheck, { features0 }: ModuleRelease): boolean {
  if (onlyWith !== undefined) return (features0 & tdxFeatures0[onlyWith]) !== 0n;
  if (onlyWithout !== undefined) return (features0 & tdxFeatures0[onlyWithout]) === 0n;
  return true;
}
