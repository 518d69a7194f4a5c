/** The process of a VMM: started so that nobody has to look for it, or found again, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { loadAddon, type Pidfd } from '../../../native/index.ts';
import { errnoOf } from '../../errors/errno.ts';
import type { VmmCommand } from '../command-line/index.ts';
import { type OpenedFiles, openFiles } from '../command-line/open-files.ts';

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
  /** The file that its standard error goes to. */
  readonly stderr: number;
  /** The process is there, and its program has not begun: what this throws ends it before. */
  readonly onProcess: (pid: number) => void;
}

/**
 * A keeper may be killed at any moment, and a VMM outlives it. So the program begins only when its process is written
 * down: until then a shell has its place, and ends with its keeper. The process is the same, before and after.
 */
const gate = 'IFS= read -r go || exit 1; exec "$0" "$@" </dev/null';

/** @throws TdctlError for a file that cannot be opened, or what `onProcess` throws. */
export async function launchProcess(launching: Launching): Promise<VmmProcess> {
  const { command, stderr, onProcess } = launching;
  const opened = openFiles(command.files);
  let child: ChildProcess;
  try {
    child = spawn('/bin/sh', ['-c', gate, command.program, ...command.args], {
      cwd: '/',
      // A process group of its own: a signal to that of its keeper is not for it.
      detached: true,
      stdio: stdioOf(opened, stderr),
    });
  } finally {
    opened.close();
  }
  const go = child.stdin as Writable;
  // It may have ended before it has read, which is told by its end.
  go.on('error', () => undefined);
  const ended = new Promise<VmmExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  ended.catch(() => undefined);
  if (child.pid === undefined) await ended;
  const { pid = 0 } = child;
  try {
    const held = await openPidfd(pid);
    onProcess(pid);
    go.end('go\n');
    child.unref();
    return processOf(pid, held, ended);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
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

function stdioOf({ fds }: OpenedFiles, stderr: number): ('pipe' | number)[] {
  return ['pipe', stderr, stderr, ...fds];
}
