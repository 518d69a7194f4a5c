/** Runs the built tdctl as a user would: a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { builtMain, projectRoot } from './built.ts';

export { projectRoot };

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  /** What was printed so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves when stdout has the text; rejects when the process ends without it. */
  waitForStdout(text: string): Promise<void>;
  /** The same of stderr. */
  waitForStderr(text: string): Promise<void>;
}

export interface TdctlOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run as another user; only root may. */
  readonly uid?: number;
  /** In a process group of its own, so that signals to that group are not for the tests. */
  readonly ownGroup?: true;
  /** No more than so many file descriptors. */
  readonly mostDescriptors?: number;
  /** For the test to write to; else stdin is at its end. */
  readonly stdin?: 'open';
}

/** Without colours. Node warns on stderr where both of the variables are set, so one has to go. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...environment } = process.env;
  return { ...environment, NO_COLOR: '1' };
}

export function startTdctl(args: readonly string[], options: TdctlOptions = {}): Running {
  return startProgram([process.execPath, builtMain(), ...args], options);
}

function startProgram(command: readonly string[], options: TdctlOptions): Running {
  const limited = ['-c', `ulimit -n ${options.mostDescriptors} && exec "$0" "$@"`, ...command];
  const [program = '', ...rest] =
    options.mostDescriptors === undefined ? command : ['sh', ...limited];
  const child = spawn(program, rest, {
    cwd: options.cwd ?? projectRoot,
    env: { ...plainEnvironment(), ...options.env },
    stdio: 'pipe',
    detached: options.ownGroup === true,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  if (options.stdin !== 'open') child.stdin.end();
  const output = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const check of waiting) check();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    changed();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    changed();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  });
  const waitFor = (stream: 'stdout' | 'stderr', text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!output[stream].includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void ended.then(({ stderr }) =>
        reject(new Error(`ended without printing ${JSON.stringify(text)}\n${stderr}`)),
      );
    });
  return {
    child,
    ended,
    output,
    waitForStdout: (text) => waitFor('stdout', text),
    waitForStderr: (text) => waitFor('stderr', text),
  };
}

/** Another program, as tests run tdctl. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: TdctlOptions = {},
): Promise<Ended> {
  return startProgram([program, ...args], options).ended;
}

export function tdctl(args: readonly string[], options?: TdctlOptions): Promise<Ended> {
  return startTdctl(args, options).ended;
}
