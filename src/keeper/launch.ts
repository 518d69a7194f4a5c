/** Starts a keeper, which lives on when this process ends, and follows it until its TD is what it shall be. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setInterval as every } from 'node:timers/promises';
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import { type ErrorData, errorOf, TdctlError } from '../errors/index.ts';
import type { MigrationRunEvent, TdRunEvent } from '../orchestrator/index.ts';
import { packageRoot } from '../package-root.ts';
import type { MoveReport } from './move/report.ts';
import { readProcess } from './process-stat.ts';
import { type ProgressLine, progressVariable, type Reached } from './progress.ts';
import type { KeepRequest } from './request.ts';
import { stateDirectoryPath, stateDirectoryVariable } from './state-directory.ts';

export interface LaunchOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onEvent?: ((event: TdRunEvent<ErrorInWords>) => void) | undefined;
  readonly onQueued?:
    | ((place: { readonly position: number; readonly of: number }) => void)
    | undefined;
  /** Of the migration, where the keeper conducts one. */
  readonly onMove?: ((event: MigrationRunEvent<ErrorInWords>) => void) | undefined;
  /** Is told at once, whatever becomes of it. */
  readonly onStarted?: ((pid: number) => void) | undefined;
  /** Ends the following. The keeper goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface LaunchKeeperOptions extends LaunchOptions {
  /** That of this tdctl, where it is left out. */
  readonly command?: Launching['command'] | undefined;
}

export interface Launched {
  readonly pid: number;
  readonly reached: Reached;
  /** Of a TD that was moved. */
  readonly report?: MoveReport | undefined;
}

/** A keeper that a signal has stopped is looked for so often. */
const lookEveryMs = 500;
/** Of what a keeper prints before it has a log. */
const mostEarlyCharacters = 16 * 1024;

/** The program and its arguments: `ps` shows whose keeper it is. */
export function keeperCommand(
  name: string,
  program = ownKeeperProgram(),
): readonly [program: string, ...args: string[]] {
  return [process.execPath, ...keeperFlags, program, name];
}

/** In a package of tdctl. */
export const keeperProgram = 'dist/keeper.js';

export const ownKeeperProgram = () => join(packageRoot(), keeperProgram);

/** A keeper waits for most of its life, and there is one for each TD: a small heap matters more than speed. */
const keeperFlags = ['--optimize-for-size', '--max-semi-space-size=1'];

/**
 * Resolves when the TD is runnable, or runs where that was asked for.
 *
 * @throws TdctlError what the keeper ended with; TDCTL_E_NOT_ANSWERING where it ended without a word, or was stopped;
 * TDCTL_E_INTERRUPTED by the signal, and then the keeper goes on.
 */
export function launchKeeper(
  request: KeepRequest,
  { command = keeperCommand(request.name), ...options }: LaunchKeeperOptions,
): Promise<Launched> {
  const { name, adopt } = request;
  const words = keeperWords(name, adopt === true ? 'took its TD over' : 'built its TD');
  return launch({ command, input: JSON.stringify(request), words }, options);
}

/**
 * Starts the keeper that a TD is to move to, and follows it until it has the TD.
 *
 * @throws TdctlError as above.
 */
export async function launchMove(
  request: KeepRequest,
  { command, ...options }: LaunchOptions & { readonly command: Launching['command'] },
): Promise<MoveReport> {
  const words = moveWords(request.name);
  const { report } = await launch({ command, input: JSON.stringify(request), words }, options);
  if (report === undefined)
    throw notAnswering(words, words.ended('it told of no move', { words, isQueued: false }));
  return report;
}

/** What is started, and how errors speak of it. */
export interface Launching {
  readonly command: readonly [program: string, ...args: string[]];
  /** For its standard input. */
  readonly input: string;
  readonly words: LaunchWords;
}

interface Words {
  readonly message: string;
  readonly hint: string;
}

export interface LaunchWords {
  readonly op: string;
  ended(how: string, followed: Followed): Words;
  stopped(pid: number, followed: Followed): Words;
  readonly goesOn: Words;
}

/** Starts a process that lives on when this one ends, and follows what it tells until it is what it shall be. */
export async function launch(launching: Launching, options: LaunchOptions): Promise<Launched> {
  const { words } = launching;
  const child = start(launching, options.env);
  if (child.pid !== undefined) options.onStarted?.(child.pid);
  const following = new AbortController();
  const followed = { words, isQueued: false };
  try {
    return await Promise.race([
      follow(child, followed, options),
      refuseStopped(child, followed, following.signal),
      interrupted(words, options.signal, following.signal),
    ]);
  } finally {
    following.abort();
    letGo(child);
  }
}

function start({ command, input }: Launching, env: NodeJS.ProcessEnv): ChildProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    // No directory is held, and no terminal: a signal to the process group of whoever starts it is not for it.
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    env: { ...env, [stateDirectoryVariable]: stateDirectoryPath(env), [progressVariable]: '3' },
  });
  // It may have ended before it has read it, which is told by its end.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return child;
}

interface Followed {
  readonly words: LaunchWords;
  /** It waits for a key slot, as far as it has told. */
  isQueued: boolean;
}

async function follow(
  child: ChildProcess,
  followed: Followed,
  { onEvent, onMove, onQueued }: LaunchOptions,
): Promise<Launched> {
  const early = earlyWords(child.stderr);
  const ended = new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  ended.catch(() => undefined);
  for await (const line of linesOf(child.stdio[3] as Readable)) {
    if ('event' in line) onEvent?.(line.event);
    if ('move' in line) onMove?.(line.move);
    followed.isQueued = 'queued' in line;
    if ('queued' in line) onQueued?.(line.queued);
    if ('reached' in line)
      return { pid: child.pid ?? 0, reached: line.reached, report: line.report };
    if ('failed' in line) throw errorOf(line.failed as ErrorData);
  }
  throw endedSilently(followed, { how: await ended, early: early() });
}

async function* linesOf(pipe: Readable): AsyncGenerator<ProgressLine> {
  let rest = '';
  pipe.setEncoding('utf8');
  for await (const text of pipe) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line);
  }
}

function earlyWords(stderr: Readable | null): () => string {
  let words = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-mostEarlyCharacters);
  });
  return () => words.trim();
}

/** It would be waited for for ever: there is nothing that a stopped process does by itself. */
async function refuseStopped(
  { pid }: ChildProcess,
  followed: Followed,
  signal: AbortSignal,
): Promise<never> {
  let looks = 0;
  try {
    for await (const _ of every(lookEveryMs, undefined, { signal, ref: false })) {
      looks = pid !== undefined && readProcess(pid)?.state === 'T' ? looks + 1 : 0;
      if (looks > 1) throw notAnswering(followed.words, followed.words.stopped(pid ?? 0, followed));
    }
  } catch (error) {
    if (error instanceof TdctlError) throw error;
  }
  return new Promise(() => {});
}

/** What was begun goes on. */
const goesOn = ({ op, goesOn }: LaunchWords) =>
  new TdctlError({ code: 'TDCTL_E_INTERRUPTED', op, ...goesOn });

export const interruptedMove = (name: string) => goesOn(moveWords(name));

function interrupted(
  words: LaunchWords,
  signal: AbortSignal | undefined,
  over: AbortSignal,
): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(goesOn(words));
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true, signal: over });
  });
}

function letGo(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
}

function endedSilently(
  followed: Followed,
  { how, early }: { readonly how: string; readonly early: string },
): TdctlError {
  const { words } = followed;
  return notAnswering(words, words.ended(how, followed), early === '' ? [] : early.split('\n'));
}

function notAnswering({ op }: LaunchWords, words: Words, details: readonly string[] = []) {
  return new TdctlError({ code: 'TDCTL_E_NOT_ANSWERING', op, ...words, details });
}

function keeperWords(name: string, work: string): LaunchWords {
  const doing = ({ isQueued }: Followed) => (isQueued ? 'waited for a key slot' : work);
  return {
    op: 'start a keeper',
    ended: (how, followed) => ({
      message: `the keeper of ${name} ended without a word (${how}) while it ${doing(followed)}`,
      hint: `\`tdctl show ${name}\` says what is left, and keeper.log in its directory what it said`,
    }),
    stopped: (pid, followed) => ({
      message: `the keeper of ${name}, process ${pid}, was stopped by a signal (SIGSTOP) while it ${doing(followed)}`,
      hint: `\`kill -CONT ${pid}\` lets it go on; \`tdctl kill ${name}\` ends it`,
    }),
    goesOn: {
      message: `interrupted; the keeper of ${name} goes on and builds its TD`,
      hint: `\`tdctl show ${name}\` says how far it is, and \`tdctl stop ${name}\` takes it down`,
    },
  };
}

function moveWords(name: string): LaunchWords {
  return {
    op: 'move a TD to another keeper',
    ended: (how) => ({
      message: `the next keeper of ${name} ended without a word (${how})`,
      hint: `\`tdctl show ${name}\` says who has the TD, and keeper.log in its directory what was said`,
    }),
    stopped: (pid) => ({
      message: `the next keeper of ${name}, process ${pid}, was stopped by a signal (SIGSTOP)`,
      hint: `\`kill -CONT ${pid}\` lets it go on; the keeper that has the TD takes it back where it can`,
    }),
    goesOn: {
      message: `interrupted; the move of ${name} goes on`,
      hint: `\`tdctl show ${name}\` says who has the TD`,
    },
  };
}
