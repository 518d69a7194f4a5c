/** A Rehearsal file with `kernels` is played under each of them. */
import { type ExitCode, exitCodes, TdctlError } from '../../../errors/index.ts';
import type { RehearsalReport } from '../../../rehearsal/index.ts';
import type { Interrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import { endOfRehearsal } from '../end-of-rehearsal.ts';
import type { RehearseCommandOptions } from '../options.ts';
import type { Progress } from '../progress.ts';
import { endOfMatrix, type MatrixRow } from './matrix.ts';
import { printMatrix } from './print-matrix.ts';

interface PlayingMatrix {
  readonly kernels: readonly string[];
  /** The host as it was asked for. */
  readonly host: string;
  readonly options: RehearseCommandOptions;
  readonly interrupts: Interrupts;
  readonly progress: Progress;
  readonly playUnder: (kernel: string) => Promise<RehearsalReport>;
}

export async function showMatrix(playing: PlayingMatrix, io: CommandIo): Promise<ExitCode> {
  const { kernels, host, options, progress } = playing;
  refusePage(options, kernels);
  const rows: MatrixRow[] = [];
  for (const kernel of kernels) rows.push(await rowOf(playing, kernel));
  progress.end();
  const report = rows.find((row) => row.report !== undefined)?.report;
  const matrix = { name: report?.name ?? options.file, host: report?.host.name ?? host, rows };
  await printMatrix(matrix, { format: options.output, io });
  return endOfMatrix(matrix);
}

async function rowOf(
  { interrupts, progress, playUnder }: PlayingMatrix,
  kernel: string,
): Promise<MatrixRow> {
  if (interrupts.received !== undefined) return { kernel, exitCode: exitCodes.interrupted };
  progress.begin(kernel);
  let report: RehearsalReport | undefined;
  try {
    report = await playUnder(kernel);
    return { kernel, report, exitCode: endOfRehearsal(report, interrupts) };
  } catch (error) {
    // What the command line asks for wrongly is wrong under every kernel.
    if (!(error instanceof TdctlError) || error.exitCode === exitCodes.usage) throw error;
    return { kernel, report, error, exitCode: error.exitCode };
  }
}

function refusePage({ html }: RehearseCommandOptions, kernels: readonly string[]): void {
  if (html === undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'write the page',
    place: '--html',
    message: `a page shows one kernel, and the file names ${kernels.length}`,
    hint: `choose one: --kernel ${kernels[0]}`,
  });
}
