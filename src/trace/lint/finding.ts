/** What the linter has to say about a trace. */

/**
 * `error`: a kernel refuses a call, or the program gave up on a refusal that asks to be repeated.
 * `warning`: all was taken, and the TD is not what its owner thinks. `note`: could be left out, or is
 * good to know.
 */
export type Severity = 'error' | 'warning' | 'note';

export const severities: readonly Severity[] = ['error', 'warning', 'note'];

export interface LintFinding {
  /** Of a refusal: the name of the check. Stable: scripts and docs/exec-trace.md refer to it. */
  readonly id: string;
  readonly severity: Severity;
  /** From 1. */
  readonly line: number;
  /** `vm#1.KVM_CREATE_VCPU(id=0)`. */
  readonly call: string | undefined;
  /** A clause without a full stop. */
  readonly problem: string;
  /** What the kernel checks: its step, and the condition that holds. */
  readonly kernel: string | undefined;
  /** Where the kernel does: its file and function. */
  readonly source?: string | undefined;
  /** What to do: an imperative clause. */
  readonly remedy: string | undefined;
  /** Why the call is taken for this request, where the trace does not say. */
  readonly inferred: string | undefined;
  /** How often, where the same was found again later. */
  readonly count: number;
}

/** The same on other lines is one finding with a count. In the order of the trace. */
export function collected(findings: readonly LintFinding[]): LintFinding[] {
  const byContent = new Map<string, LintFinding>();
  for (const finding of findings) {
    const { line, count, call, inferred, ...content } = finding;
    const key = JSON.stringify([content, call?.replace(/#\d+/, '#')]);
    const known = byContent.get(key);
    byContent.set(key, known === undefined ? finding : { ...known, count: known.count + count });
  }
  return [...byContent.values()].sort((one, other) => one.line - other.line);
}
