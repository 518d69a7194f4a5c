/** From what a rehearsal found to the exit code of the command. */
import { type ExitCode, exitCodes, TdctlError } from '../../errors/index.ts';
import { findingsIn, type RehearsalReport } from '../../rehearsal/index.ts';
import type { Interrupts } from '../interrupts.ts';
import { faultsNotMet } from '../unmet-faults.ts';
import { stepFailure } from '../words.ts';

/** @throws TdctlError for what was lost, broken, or other than expected. */
export function endOfRehearsal(report: RehearsalReport, interrupts: Interrupts): ExitCode {
  const { run, sweep } = report;
  const violations = run.violations.length + (sweep?.violationCount ?? 0);
  const broken = (report.proofs ?? []).filter(({ problem }) => problem !== undefined).length;
  if (violations + broken > 0) throw invariantBroken(violations + broken);
  if (interrupts.received !== undefined) return exitCodes.interrupted;
  if (report.isJudged) {
    const missed = findingsIn(report);
    if (report.strict && missed.length > 0) throw notAsExpected(missed);
    return exitCodes.ok;
  }
  throwFailure(run);
  if (run.unmet.length > 0) throw faultsNotMet(run.unmet);
  return exitCodes.ok;
}

/** A run that no file judges must go through, as far as no fault was asked for. */
function throwFailure({ results }: RehearsalReport['run']): void {
  const failed = results.find(({ result }) => result !== 'done' && result !== 'skipped');
  if (failed?.error === undefined || failed.error === null) return;
  const { operation, verdict, error } = failed;
  throw stepFailure(verdict === 'lost' ? { ...error, code: 'TDCTL_E_TD_LOST' } : error, operation);
}

function invariantBroken(count: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INVARIANT_BROKEN',
    op: 'rehearse',
    message: `${count} ${count === 1 ? 'run breaks' : 'runs break'} an invariant`,
    hint: 'docs/invariants.md says what each means; the report has the shortest command that shows it: please report it',
  });
}

function notAsExpected(missed: readonly string[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_EXPECTATION',
    op: 'compare with what the file expects',
    message: 'the rehearsal did not come out as its file expects',
    details: missed,
    hint: 'the report above says what happened instead; `strict: false` in the file makes these notes',
  });
}
