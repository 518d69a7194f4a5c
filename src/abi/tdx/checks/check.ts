/**
 * The book of the TDX module's checks, in the form of the kernel's (../../kvm/checks/). A SEAMCALL leaf
 * looks at its operands step by step; the first check that applies gives the status. The rows of a leaf
 * stand in its own order. A condition that many leaves look at has one name, and in each of them the
 * operand that it stands in there. Locks and entropy are no rows: only an injected status answers them.
 */
import type { tdxFeatures0 } from '../module-releases.ts';
import type { OperandName, StatusName } from '../status.ts';

/** One check: a condition, and the status of a leaf for which it holds. */
export interface LeafCheck {
  readonly status: StatusName;
  /** What release 1.0 answers instead. */
  readonly statusOf1Dot0?: StatusName;
  /** The details of the status. */
  readonly operand?: OperandName;
  /** The condition: a clause without a full stop. */
  readonly when: string;
  /** What whoever asked should do: an imperative clause. Absent where only the kernel can. */
  readonly remedy?: string;
  /** A bit of TDX_FEATURES0 without which a release does not make the check. */
  readonly onlyWith?: keyof typeof tdxFeatures0;
  /** A bit of TDX_FEATURES0 with which a release no longer makes the check. */
  readonly onlyWithout?: keyof typeof tdxFeatures0;
  /** File and function of github.com/intel/tdx-module. */
  readonly source: string;
}

/** Rows by their name, in the order of the checks. */
export type LeafChecks = Readonly<Record<string, LeafCheck>>;

type Sourceless = Omit<LeafCheck, 'source'> & Partial<Pick<LeafCheck, 'source'>>;

/** Rows that stand in one function of the module, unless a row names another. */
export function leafChecksIn<const Rows extends Readonly<Record<string, Sourceless>>>(
  source: string,
  rows: Rows,
) {
  const entries = Object.entries<Sourceless>(rows);
  return Object.fromEntries(entries.map(([name, row]) => [name, { source, ...row }])) as {
    readonly [Name in keyof Rows]: Rows[Name] & Pick<LeafCheck, 'source'>;
  };
}
