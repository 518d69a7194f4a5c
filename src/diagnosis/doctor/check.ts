import type { DoctorFacts } from './facts.ts';
import type { LogFindings } from './log-findings.ts';

export type Status = 'pass' | 'warn' | 'fail' | 'unknown' | 'skipped';

export interface Verdict {
  readonly status: Exclude<Status, 'skipped'>;
  /** One line says what was read, where, and what was expected if it is not that. */
  readonly evidence: string;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

export interface CheckInput extends DoctorFacts {
  /** What the kernel log says; it is empty where the log could not be read. */
  readonly found: LogFindings;
}

export interface Check {
  /** The id is stable, since scripts, docs/troubleshooting.md and `--explain` use it. */
  readonly id: string;
  readonly title: string;
  readonly group: string;
  /** The checks that must not have failed; the first is the parent in the tree. */
  readonly needs: readonly string[];
  /** What it looks at, for people who want to look themselves. */
  readonly reads: string;
  evaluate(input: CheckInput): Verdict;
}

/** Gives each of the checks its group. */
export function inGroup(group: string, checks: readonly Omit<Check, 'group'>[]): readonly Check[] {
  return checks.map((check) => ({ ...check, group }));
}

export const pass = (evidence: string): Verdict => ({ status: 'pass', evidence });
export const warn = (evidence: string, fix: string): Verdict => ({ status: 'warn', evidence, fix });
export const fail = (evidence: string, fix: string): Verdict => ({ status: 'fail', evidence, fix });
export const unknown = (evidence: string, fix?: string): Verdict => ({
  status: 'unknown',
  evidence,
  fix,
});

export const readLogFix = 'run it with sudo, or read the log yourself: `sudo dmesg | grep -i tdx`';
