/** Rules about a whole trace: what is missing in it, and what is too much. */
import type { CheckName } from '../../../abi/kvm/checks/index.ts';
import type { KernelAbi } from '../../../simulator/index.ts';
import type { Severity } from '../finding.ts';
import type { TraceHistory, VmHistory } from '../history.ts';
import type { TracedCall, TracedTrace } from '../traced.ts';

export interface RuleTrace {
  readonly trace: TracedTrace;
  readonly history: TraceHistory;
  readonly kernelAbi: KernelAbi;
  /** VMs of which a call was refused that they need: what is missing then follows from that. */
  readonly stopped: ReadonlySet<VmHistory>;
}

export interface Found {
  /** Where. */
  readonly at: TracedCall | number;
  /** What the rule's problem does not say. */
  readonly detail?: string | undefined;
}

/** About one VM that is, or may be, a TD. */
export interface LintRule {
  readonly id: string;
  readonly severity: Severity;
  /** A clause without a full stop. */
  readonly problem: string;
  /** What the kernel does. */
  readonly kernel: string;
  /** The checks of the kernel that it is about. */
  readonly checks?: readonly CheckName[];
  /** An imperative clause. */
  readonly remedy: string;
  readonly find: (vm: VmHistory, trace: RuleTrace) => readonly Found[];
}
