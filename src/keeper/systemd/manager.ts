/** Which service manager a keeper can be started by, and the starting. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { TdctlError } from '../../errors/index.ts';
import { systemdRunArguments, type UnitOptions, unitName } from './unit.ts';

export interface Machine {
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether there is such a directory. */
  readonly hasDirectory: (path: string) => boolean;
}

export function thisMachine(env: Machine['env']): Machine {
  return {
    uid: process.geteuid?.() ?? 0,
    env,
    hasDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
  };
}

/**
 * The manager of the system for root, else that of the user.
 *
 * @throws TdctlError TDCTL_E_HOST_UNSUPPORTED where there is none.
 */
export function managerOf({ uid, env, hasDirectory }: Machine): UnitOptions['manager'] {
  // sd_booted(3).
  if (!hasDirectory('/run/systemd/system')) {
    throw noManager(
      'this machine was not booted with systemd (there is no /run/systemd/system)',
      'leave --unit out: the keeper is then a process of its own, which lives on when you log out',
    );
  }
  if (uid === 0) return 'system';
  const runtime = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  if (!hasDirectory(`${runtime}/systemd`)) {
    throw noManager(
      `user ${uid} has no service manager (there is no ${runtime}/systemd)`,
      `log in as that user, or let it live without: \`loginctl enable-linger ${uid}\``,
    );
  }
  return 'user';
}

/**
 * Starts the keeper as a transient unit, and waits until it is ready. The unit goes on when `signal` ends the wait.
 *
 * @throws TdctlError TDCTL_E_TOOL_MISSING; TDCTL_E_HOST_UNSUPPORTED where systemd refuses the unit, or the keeper has
 * ended: what it said is in its directory.
 */
export async function startUnit(options: UnitOptions, signal?: AbortSignal): Promise<void> {
  const child = spawn('systemd-run', systemdRunArguments(options), {
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-4096);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(signal?.aborted ? signal.reason : noTool(cause)));
    child.on('close', resolve);
  });
  signal?.throwIfAborted();
  if (code !== 0) throw notStarted(options, words);
}

const op = 'start a keeper as a unit of systemd';

function noManager(message: string, hint: string): TdctlError {
  return new TdctlError({ code: 'TDCTL_E_HOST_UNSUPPORTED', op, message, hint });
}

function noTool(cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_TOOL_MISSING',
    op,
    message: 'systemd-run cannot be started',
    hint: 'install systemd, or leave --unit out',
    cause,
  });
}

function notStarted({ name, manager }: UnitOptions, words: string): TdctlError {
  const user = manager === 'user' ? ' --user' : '';
  return new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op,
    message: `systemd has not started ${unitName(name)}, or the keeper has ended`,
    details: words.trim() === '' ? [] : words.trim().split('\n'),
    hint: `\`tdctl show ${name}\` says what the keeper met, and \`journalctl${user} -u ${unitName(name)}\` what systemd did`,
  });
}
