/** Starts a program on a shared host for a process that itself may end: a keeper whose VMM lives on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type ErrorData, errorOf, TdctlError } from '../../errors/index.ts';
import { packageRoot } from '../../package-root.ts';
import { type ProgressLine, progressVariable } from '../progress.ts';

export interface ProgramOnHost {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string | undefined;
  /**
   * Fds of this process that it gets: the first three are its standard streams, of which standard input may be a pipe
   * from here. The rest has the numbers 3, 4, …
   */
  readonly fds: readonly [stdin?: number | 'pipe', ...rest: number[]];
}

export interface StartedProgram {
  readonly pid: number;
  /** The `tdctl exec` that is its parent: with it the program ends, and without this process it goes on. */
  readonly parent: number;
  /** The end of the pipe, where that was asked for. */
  readonly stdin: Writable | null;
  readonly exited: Promise<ProgramEnd>;
}

/** As a shell reports it: 128 and a signal's number are the death of that signal. 1 with the host gone. */
export interface ProgramEnd {
  readonly exitCode: number;
}

/** What its guests do: the path of a RunScript. Whoever starts a keeper has no other way to say so. */
export const runScriptVariable = 'TDCTL_RUN_SCRIPT';

/** @param name of the shared host. @throws TdctlError that says why it could not be started there. */
export async function startOnSharedHost(
  name: string,
  { command, env, cwd, fds }: ProgramOnHost,
): Promise<StartedProgram> {
  const script = env[runScriptVariable];
  const runs = script === undefined ? [] : ['--run', script];
  const others = fds.slice(3) as readonly number[];
  const further = others.flatMap((_, index) => ['--fd', String(3 + index)]);
  const tdctl = join(packageRoot(), 'dist/tdctl.js');
  const progressFd = Math.max(fds.length, 3);
  const child = spawn(
    process.execPath,
    [tdctl, 'exec', '--on', name, '--quiet', ...runs, ...further, '--', ...command],
    {
      cwd,
      env: { ...env, [progressVariable]: String(progressFd) },
      stdio: [...standardStreams(fds), ...others, 'pipe'],
      // In a session of its own: what is typed for this process, or ends it, is not for the program.
      detached: true,
    },
  );
  const exited = endOf(child);
  const pid = await startedPid(child.stdio[progressFd] as Readable, exited);
  child.unref();
  return { pid, parent: child.pid ?? 0, stdin: child.stdin, exited };
}

function standardStreams(fds: ProgramOnHost['fds']) {
  return [0, 1, 2].map((at) => fds[at] ?? ('ignore' as const));
}

function endOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ exitCode: code ?? (signal ? 137 : 1) }));
  });
}

async function startedPid(told: Readable, exited: Promise<ProgramEnd>): Promise<number> {
  for await (const line of createInterface({ input: told })) {
    const progress: ProgressLine = JSON.parse(line);
    if ('failed' in progress) throw errorOf(progress.failed as ErrorData);
    if ('started' in progress) {
      told.destroy();
      return progress.started.pid;
    }
  }
  const { exitCode } = await exited;
  throw new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'start a program on a shared host',
    message: `tdctl exec, which should have started it, ended without a word (exit code ${exitCode})`,
    hint: 'a signal may have killed it: the kernel log says so where memory ran out',
  });
}
