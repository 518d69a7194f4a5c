/** The process of a VMM: started so that nobody has to look for it, or found again, and its end. */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { loadAddon, type Pidfd } from '../../../native/index.ts';
import { errnoOf } from '../../errors/errno.ts';
import type { VmmCommand } from '../command-line/index.ts';
import { openFiles } from '../command-line/open-files.ts';

export interface VmmProcess {
  readonly pid: number;
  /** Undefined while it is there. */
  readonly exit: VmmExit | undefined;
  readonly ended: Promise<VmmExit>;
  /** By its number. Nothing happens to one that has ended, nor to another that has its number. */
  signal(number: number): Promise<void>;
}

/** Of a process that is no child of this one nobody is told how it ended: both are null. */
export interface VmmExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Launching {
  readonly command: VmmCommand;
  readonly cwd: string;
  /** The file that its standard error goes to. */
  readonly stderr: number;
  /** The process is there, and its program has not begun: what this throws ends it before. */
  readonly onProcess: (pid: number) => void;
  /** Without one it is a child of this process. */
  readonly start?: StartProgram | undefined;
}

export interface Program {
  readonly command: readonly string[];
  readonly cwd: string;
  /** What it has as its fds 0, 1, 2, …; the first is a pipe from this process. */
  readonly fds: readonly ['pipe', ...number[]];
}

export interface StartedProgram {
  readonly pid: number;
  readonly stdin: Writable;
  readonly ended: Promise<VmmExit>;
}

/** Starts a program in a process group of its own: a signal to that of its keeper is not for it. */
export type StartProgram = (program: Program) => Promise<StartedProgram>;

/**
 * A keeper may be killed at any moment, and a VMM outlives it. So the program begins only when its process is written
 * down: until then a shell has its place, and ends with its keeper. The process is the same, before and after.
 */
const gate = 'IFS= read -r go || exit 1; exec "$0" "$@" </dev/null';

/** @throws TdctlError for a file that cannot be opened, or what `onProcess` throws. */
export async function launchProcess(launching: Launching): Promise<VmmProcess> {
  const { command, cwd, stderr, onProcess, start = startChild } = launching;
  const opened = openFiles(command.files);
  let started: StartedProgram;
  try {
    started = await start({
      command: ['/bin/sh', '-c', gate, command.program, ...command.args],
      cwd,
      fds: ['pipe', stderr, stderr, ...opened.fds],
    });
  } finally {
    opened.close();
  }
  const { pid, stdin: go, ended } = started;
  // It may have ended before it has read, which is told by its end.
  go.on('error', () => undefined);
  ended.catch(() => undefined);
  try {
    const held = await openPidfd(pid);
    onProcess(pid);
    go.end('go\n');
    return processOf(pid, held, ended);
  } catch (error) {
    // The shell has nothing more to read, and ends.
    go.destroy();
    throw error;
  }
}

async function startChild({ command, cwd, fds }: Program): Promise<StartedProgram> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, detached: true, stdio: [...fds] });
  const ended = new Promise<VmmExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid === undefined) await ended;
  child.unref();
  return { pid: child.pid ?? 0, stdin: child.stdin as Writable, ended };
}

/**
 * @param isSame looks at the process once it cannot become another.
 * @returns undefined where it is not the one.
 */
export async function findProcess(
  pid: number,
  isSame: () => boolean,
): Promise<VmmProcess | undefined> {
  let pidfd: Pidfd;
  try {
    pidfd = await openPidfd(pid);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return undefined;
    throw error;
  }
  if (isSame()) {
    return processOf(
      pid,
      pidfd,
      pidfd.ended().then(() => ({ code: null, signal: null })),
    );
  }
  await pidfd.close();
  return undefined;
}

function openPidfd(pid: number): Promise<Pidfd> {
  const native = loadAddon();
  // The host of a TD that a VMM makes is opened by the addon.
  if (!native.available) throw new Error('the addon is not there');
  return native.addon.Pidfd.open(pid);
}

function processOf(pid: number, pidfd: Pidfd, ending: Promise<VmmExit>): VmmProcess {
  let exit: VmmExit | undefined;
  const ended = ending.then(async (how) => {
    exit = how;
    await pidfd.close().catch(() => undefined);
    return how;
  });
  return {
    pid,
    ended,
    get exit() {
      return exit;
    },
    async signal(number) {
      if (exit !== undefined) return;
      try {
        await pidfd.signal(number);
      } catch (error) {
        if (!['ESRCH', 'EBADF'].includes(errnoOf(error) ?? '')) throw error;
      }
    },
  };
}
