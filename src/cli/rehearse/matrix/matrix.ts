/** The same rehearsal under several kernels, each judged by itself. */
import { type ExitCode, exitCodes, TdctlError } from '../../../errors/index.ts';
import type { RehearsalReport } from '../../../rehearsal/index.ts';

export interface Matrix {
  readonly name: string;
  readonly host: string;
  readonly rows: readonly MatrixRow[];
}

export interface MatrixRow {
  readonly kernel: string;
  /** What `tdctl rehearse --kernel` would end with. */
  readonly exitCode: ExitCode;
  /** Undefined where nothing could be played. */
  readonly report?: RehearsalReport | undefined;
  readonly error?: TdctlError | undefined;
}

/** Which of two ends is worse: what was lost, what could not be done, what came out differently. */
const fromWorst: readonly ExitCode[] = [
  exitCodes.failed,
  exitCodes.usage,
  exitCodes.notFound,
  exitCodes.specInvalid,
  exitCodes.conflict,
  exitCodes.limitReached,
  exitCodes.hostUnsupported,
  exitCodes.interrupted,
  exitCodes.findings,
  exitCodes.ok,
];

export function worstOf(rows: readonly MatrixRow[]): MatrixRow | undefined {
  return [...rows].sort((a, b) => fromWorst.indexOf(a.exitCode) - fromWorst.indexOf(b.exitCode))[0];
}

/** @throws TdctlError of the worst row, with a line for each kernel that did not come out well. */
export function endOfMatrix({ rows }: Matrix): ExitCode {
  const worst = worstOf(rows);
  if (worst === undefined) return exitCodes.ok;
  if (worst.error === undefined) return worst.exitCode;
  const bad = rows.filter(({ error }) => error !== undefined);
  throw new TdctlError({
    code: worst.error.code,
    op: 'rehearse under several kernels',
    message: `${bad.length} of ${rows.length} kernels did not come out as asked`,
    details: bad.map(({ kernel, exitCode, error }) => {
      const [first, ...more] = error?.details ?? [];
      const such = first === undefined ? '' : `: ${first}`;
      const further = more.length === 0 ? '' : `, and ${more.length} more`;
      return `${kernel} (exit ${exitCode}): ${error?.message}${such}${further}`;
    }),
    hint: 'name one by --kernel to see its timeline',
  });
}
