/** `tdctl exec --on NAME`: a command of this process, whose KVM calls a shared host answers. */

import { errorData, TdctlError } from '../../errors/index.ts';
import {
  factsInPlace,
  factsVariable,
  type StartedCommand,
  startOnHost,
} from '../../exec/door/index.ts';
import { openProgress, type Progress } from '../../keeper/progress.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { openCommandDoor } from '../shared-host/command-door.ts';
import { endCommand } from './end-command.ts';
import { keptFds } from './kept-fds.ts';
import {
  endVmm,
  exitCodeOf,
  type OutputFiles,
  type OutputOptions,
  openOutputs,
  refuseStandardOutput,
  report,
} from './outputs.ts';
import { requireAddon } from './supervision.ts';

export interface ExecOnOptions extends OutputOptions {
  /** The name of the shared host. */
  readonly on: string;
  readonly command: readonly string[];
  /** As given to `--fd`. */
  readonly fd?: readonly string[] | undefined;
  readonly run?: string | undefined;
}

/**
 * @returns the command's own exit code as a shell gives it, or 6 where it ended with 0 and an expectation of the script was
 * not met.
 * @throws TdctlError for whatever keeps the command from being run there, and TDCTL_E_HOST_GONE where the host has ended
 * before it.
 */
export async function execOn(options: ExecOnOptions, io: CommandIo): Promise<number> {
  refuseStandardOutput(options);
  const { on, command, run } = options;
  const fds = keptFds(options.fd);
  const { Supervisor: supervisor } = requireAddon();
  const script = run === undefined ? undefined : { text: await checkedScript(run), path: run };
  const progress = openProgress(io.env);
  const door = await openCommandDoor(on, io.env).catch((error: unknown) => {
    throw failed(progress, error);
  });
  const interrupts = listenForInterrupts();
  let files: OutputFiles | undefined;
  try {
    files = await openOutputs(options, { onFailure: io.losses.add, signal: interrupts.signal });
    const { writer, summaryFile } = files;
    process.env[factsVariable] = door.facts;
    const started: StartedCommand = await startOnHost(door, {
      ...{ command, fds, script, supervisor, trace: writer !== undefined },
      mounts: isRoot() ? factsInPlace(door.facts) : [],
      onRecord: (record) => writer?.write(record),
      onRestarts: (pid) => endVmm(pid, options, io),
    });
    progress.tell({ started: { pid: started.pid } });
    progress.end();
    const { exit, failure } = await endCommand(started, interrupts);
    if (failure !== undefined) throw failure.error;
    const executed = await started.executed;
    await writer?.end();
    await report({ ...executed, machine: started.machine }, { options, summaryFile, io });
    return exitCodeOf(
      exit,
      executed.expectations.results.some(({ met }) => !met),
    );
  } catch (error) {
    throw failed(progress, error);
  } finally {
    await files?.writer?.end();
    files?.summaryFile?.release();
    door.close();
    interrupts.done();
  }
}

/** Whoever has started this process hears of it as well as who sees what it prints. */
function failed(progress: Progress, error: unknown): unknown {
  if (error instanceof TdctlError) progress.tell({ failed: errorData(error) });
  progress.end();
  return error;
}

/** Others could in a user namespace alone, where a program would not be who it is. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** A mistake is told before anything is started. */
async function checkedScript(path: string): Promise<string> {
  const { parseRunScript, readRunScript } = await import('../../exec/run-script/load.ts');
  const text = await readRunScript(path);
  parseRunScript(text, { path });
  return text;
}
