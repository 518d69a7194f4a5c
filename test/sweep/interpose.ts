/** Starts tdctl with interpose.c before the C library: its calls are counted, and one of them fails. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { builtMain } from '../support/built.ts';

export type CallKind =
  | 'open'
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'mkdir'
  | 'rmdir';

/** One call of tdctl to the system that touches a file of the run. */
export interface Call {
  readonly kind: CallKind;
  /** Relative to the directory of the run. */
  readonly path: string;
  /** Whether it was made to fail, or the process ended with it. */
  readonly hit: boolean;
}

export interface Fault {
  readonly action: 'once' | 'stays' | 'everywhere' | 'short' | 'kill-before' | 'kill-after';
  readonly errno?: 'ENOSPC' | 'EIO' | 'EMFILE';
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly calls: readonly Call[];
}

/** Made by {@link whyNotInterposed}. */
export const interposeLibrary = join(mkdtempSync(join(tmpdir(), 'tdctl-sweep-')), 'interpose.so');
afterAll(() => rmSync(dirname(interposeLibrary), { recursive: true, force: true }));

/** Says what is missing where tdctl cannot be run like this. */
export function whyNotInterposed(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has these calls';
  const source = join(import.meta.dirname, 'interpose.c');
  const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1'];
  const cc = spawnSync('cc', [...flags, '-shared', '-fPIC', source, '-o', interposeLibrary], {
    encoding: 'utf8',
  });
  if (cc.error !== undefined) return 'there is no C compiler (cc) to make the library with';
  if (cc.status !== 0) throw new Error(`cc failed for interpose.c:\n${cc.stderr}`);
  return undefined;
}

export interface Run {
  /** Calls below it count. Standard output and error are files in it, `stdout/text` and `stderr/text`. */
  readonly directory: string;
  readonly args: readonly string[];
  /** The fault, and which call it meets, counted from 1. */
  readonly fault?: Fault & { readonly at: number };
  readonly env?: Readonly<Record<string, string>>;
}

/** tdctl runs in `directory/work`. */
export async function runInterposed({ directory, args, fault, env }: Run): Promise<Ended> {
  const calls = `${directory}.calls`;
  const stdout = openSync(join(directory, 'stdout/text'), 'w');
  const stderr = openSync(join(directory, 'stderr/text'), 'w');
  const { FORCE_COLOR: _, ...environment } = process.env;
  const child = spawn(process.execPath, [builtMain(), ...args], {
    cwd: join(directory, 'work'),
    stdio: ['ignore', stdout, stderr],
    env: {
      ...environment,
      ...env,
      NO_COLOR: '1',
      // Calls come in the same order each time, and all through the C library.
      UV_THREADPOOL_SIZE: '1',
      UV_USE_IO_URING: '0',
      LD_PRELOAD: interposeLibrary,
      SWEEP_DIRECTORY: directory,
      SWEEP_CALLS: calls,
      SWEEP_AT: String(fault?.at ?? 0),
      SWEEP_ACTION: fault?.action ?? '',
      SWEEP_ERRNO: String(fault?.errno === undefined ? 0 : constants.errno[fault.errno]),
    },
  });
  closeSync(stdout);
  closeSync(stderr);
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (...ended) => resolve(ended));
    },
  );
  const listed = existsSync(calls) ? readFileSync(calls, 'utf8') : '';
  rmSync(calls, { force: true });
  return { exitCode, signal, calls: listed.trim().split('\n').filter(Boolean).map(callOf) };
}

function callOf(line: string): Call {
  const [, mark, kind, path = ''] = /^(\*?)(\w+) (.*)$/.exec(line) ?? [];
  return { kind: kind as CallKind, path, hit: mark === '*' };
}
