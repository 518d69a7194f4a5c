/** A rule is about a whole trace: about what is missing in it, and what is too much. */
import type { CheckName } from '../../../abi/kvm/checks/index.ts';
import type { KernelAbi } from '../../../simulator/index.ts';
import type { Severity } from '../finding.ts';
import type { KeptCall, TraceHistory, VmHistory } from '../history.ts';
import type { TraceEnd } from '../traced.ts';

export interface RuleTrace {
  /** What the trace is like as a whole, once it is known. */
  readonly end: TraceEnd | undefined;
  readonly history: TraceHistory;
  readonly kernelAbi: KernelAbi;
  /** VMs that had a necessary call refused: what is missing then follows from that. */
  readonly stopped: ReadonlySet<VmHistory>;
}

export interface Found {
  /** The call or the line that the finding is about. */
  readonly at: KeptCall | number;
  /** Detail that the rule's problem does not tell. */
  readonly detail?: string | undefined;
}

/** A rule is about one VM that is, or may be, a TD. */
export interface LintRule {
  readonly id: string;
  readonly severity: Severity;
  /** A clause without a full stop. */
  readonly problem: string;
  /** What the kernel does. */
  readonly kernel: string;
  /** The kernel's checks that the rule is about. */
  readonly checks?: readonly CheckName[];
  /** An imperative clause. */
  readonly remedy: string;
  readonly find: (vm: VmHistory, trace: RuleTrace) => readonly Found[];
}
