/** What `tdctl exec` writes of a command besides its own output: the trace and the summary. */
import { exitCodes, TdctlError } from '../../errors/index.ts';
import type { CommandExit, Executed, MachineNames } from '../../exec/index.ts';
import { prepareWholeFile, type WholeFile } from '../../files/index.ts';
import type { TraceFileOptions } from '../../trace/index.ts';
import { TraceWriter } from '../../trace/index.ts';
import { standardOutputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { dataText, documentOf } from '../output/data.ts';
import { layOut } from '../output/layout.ts';
import { say } from '../output/print.ts';
import { summaryText } from './summary-text.ts';

export interface OutputOptions {
  readonly trace?: string | undefined;
  readonly summary?: string | undefined;
  readonly quiet?: true | undefined;
}

export interface OutputFiles {
  readonly writer: TraceWriter | undefined;
  readonly summaryFile: WholeFile | undefined;
}

/** Files are opened before the command starts, so that a mistake in a path costs no run. */
export async function openOutputs(
  { trace, summary }: OutputOptions,
  told: Omit<TraceFileOptions, 'path'>,
): Promise<OutputFiles> {
  const summaryFile =
    summary === undefined
      ? undefined
      : await prepareWholeFile({ path: summary, what: 'summary', existing: 'replace', ...told });
  try {
    const writer =
      trace === undefined ? undefined : await TraceWriter.open({ path: trace, ...told });
    return { writer, summaryFile };
  } catch (error) {
    summaryFile?.release();
    throw error;
  }
}

export function refuseStandardOutput({ trace }: OutputOptions): void {
  if (trace === standardOutputFile) throw stdoutOfProgram();
}

function stdoutOfProgram(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'open the trace',
    place: '--trace -',
    message:
      'standard output is that of the command, and a trace in between could not be told apart',
    hint: 'name a file, or a pipe: --trace >(less)',
  });
}

export interface Reported extends Executed {
  readonly machine: MachineNames;
}

export async function report(
  { summary, expectations, machine }: Reported,
  {
    options,
    summaryFile,
    io,
  }: {
    readonly options: OutputOptions;
    readonly summaryFile: WholeFile | undefined;
    readonly io: CommandIo;
  },
): Promise<void> {
  if (summaryFile) {
    const text = await dataText(
      documentOf('tdctl.ExecSummary', { ...summary, expectations }),
      'json',
    );
    await summaryFile.put(text).catch(io.losses.add);
  } else if (options.quiet !== true) {
    const text = summaryText(summary, { machine, expectations, colors: io.colors.stderr });
    io.stderr.write(layOut(text, io.widths.stderr));
  }
}

/** The guest of the default script was started again after it had asked in every way to be turned off. */
export function endVmm(pid: number, { quiet }: OutputOptions, io: CommandIo): void {
  if (!signalProcess(pid) || quiet === true) return;
  say(
    io,
    `tdctl exec: process ${pid} starts its guest again whenever it turns itself off; it was sent SIGTERM (--run gives the guest another script)`,
  );
}

function signalProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** @param isUnmet whether something was asked for that did not come about. */
export function exitCodeOf(exit: CommandExit, isUnmet: boolean): number {
  const code = exit.how === 'code' ? exit.status : 128 + exit.status;
  return code === 0 && isUnmet ? exitCodes.findings : code;
}
