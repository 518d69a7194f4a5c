/** A finding is what the linter reports about a trace. */

/**
 * An `error` means that a kernel refuses a call, or that the program gave up on a refusal that asks to
 * be repeated. A `warning` means that every call was taken, but the TD is not what its owner thinks. A
 * `note` is about a call that could be left out, or about what is good to know.
 */
export type Severity = 'error' | 'warning' | 'note';

export const severities: readonly Severity[] = ['error', 'warning', 'note'];

export interface LintFinding {
  /**
   * Id of the finding, which for a refusal is the name of the check. It is stable, because scripts and
   * docs/exec-trace.md refer to it.
   */
  readonly id: string;
  readonly severity: Severity;
  /** Line in the trace, counted from 1. */
  readonly line: number;
  /** The call, such as `vm#1.KVM_CREATE_VCPU(id=0)`. */
  readonly call: string | undefined;
  /** A clause without a full stop. */
  readonly problem: string;
  /** What the kernel checks: its step, and the condition that holds. */
  readonly kernel: string | undefined;
  /** The kernel's file and function that make the check. */
  readonly source?: string | undefined;
  /** What to do: an imperative clause. */
  readonly remedy: string | undefined;
  /** The reason why the call is taken for this request, where the trace does not name it. */
  readonly inferred: string | undefined;
  /** How many times the same was found. */
  readonly count: number;
}

/** Findings beyond these are counted and not kept: nobody reads more. */
const mostKept = 1000;

/** Collects the same finding on several lines into one with a count. */
export class Findings {
  readonly #byContent = new Map<string, LintFinding>();
  readonly #further = { error: 0, warning: 0, note: 0 };

  add(finding: LintFinding): void {
    const key = contentOf(finding);
    const known = this.#byContent.get(key);
    if (known === undefined && this.#byContent.size >= mostKept) {
      this.#further[finding.severity] += finding.count;
      return;
    }
    this.#byContent.set(key, known === undefined ? finding : together(known, finding));
  }

  /** The findings in the order of the trace. */
  get all(): LintFinding[] {
    return [...this.#byContent.values()].sort((one, other) => one.line - other.line);
  }

  /** How many others there are, by severity. */
  get further(): Readonly<Record<Severity, number>> {
    return this.#further;
  }
}

/** What findings have in common that are told as one. */
export function contentOf({ line, count, call, inferred, ...content }: LintFinding): string {
  return JSON.stringify([content, call?.replace(/#\d+/, '#')]);
}

function together(one: LintFinding, other: LintFinding): LintFinding {
  const first = other.line < one.line ? other : one;
  return { ...first, count: one.count + other.count };
}
