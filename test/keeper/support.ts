/** Kept TDs as they lie in a directory, and other processes that work on them. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';
import { type KeeperIdentity, ownIdentity } from '../../src/keeper/identity.ts';
import { momentNow } from '../../src/keeper/moment.ts';
import type { KeepRequest } from '../../src/keeper/request.ts';
import { openStateDirectory, type StateDirectory } from '../../src/keeper/state-directory.ts';
import type { StatusRecord } from '../../src/keeper/status.ts';
import { builtModule } from '../support/built.ts';
import { stateBase } from '../support/state-base.ts';

/** A name that is not taken, and whose tree goes with the test. */
export function freshPath(context: TestContext): string {
  const directory = mkdtempSync(join(stateBase, 'tdk-'));
  context.onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'state');
}

export function stateAt(path: string): Promise<StateDirectory> {
  return openStateDirectory({ TDCTL_STATE_DIR: path }, { create: true });
}

export const freshState = (context: TestContext) => stateAt(freshPath(context));

export const identity = (): KeeperIdentity => ownIdentity({ tdctl: '0.1.0', chartVersion: 3 });

export function request(name: string): KeepRequest {
  return {
    version: 1,
    name,
    spec: `kind: TrustDomain\nmetadata: {name: ${name}}\n`,
    specPath: '/td.yaml',
    host: 'sim',
    start: false,
    queue: false,
    again: false,
    api: { oldest: 1, newest: 1 },
  };
}

export function status(name: string, over: Partial<StatusRecord> = {}): StatusRecord {
  return {
    name,
    labels: { tier: 'web' },
    state: 'running',
    since: momentNow(),
    createdAt: new Date().toISOString(),
    host: { name: 'sim:spr-1.5', simulated: true },
    kernel: 'upstream-7.3',
    vcpus: 2,
    memoryBytes: 134_217_728,
    holdsKeySlot: true,
    mrtd: null,
    error: null,
    leftovers: [],
    guestEnded: null,
    waitingFor: null,
    seq: 1,
    ...over,
  };
}

export interface OtherProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line that it prints; undefined once it has ended. */
  line(): Promise<string | undefined>;
  /** Kills it, and waits until it is reaped. */
  kill(): Promise<void>;
}

/** These of src/keeper are in scope of the code of another process, with `state` and `say`. */
const prelude = (path: string, names: readonly string[]) => `
  ${names.map((name) => `import * as ${name.replace(/\W(\w)/g, (_, letter) => letter.toUpperCase())} from ${JSON.stringify(builtModule(`src/keeper/${name}.ts`))};`).join('\n')}
  const state = await stateDirectory.openStateDirectory(
    { TDCTL_STATE_DIR: ${JSON.stringify(path)} }, { create: true });
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
  const stay = () => new Promise(() => setInterval(() => {}, 1_000_000));
`;

const inScope = [
  'state-directory',
  'td-directory',
  'identity',
  'kept-tds',
  'removal',
  'journal/journal',
] as const;

interface Other {
  /** Of the state directory. */
  readonly path: string;
  readonly code: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Done by a shell before, in the same process. */
  readonly shell?: string;
  /** The shell may mount what nobody else sees; only root may do that. */
  readonly mounts?: true;
}

/** Runs code in a process of its own until it ends, or the test does. */
export function otherProcess(
  context: TestContext,
  { path, code, env, shell = ':', mounts }: Other,
): OtherProcess {
  const program = `${prelude(path, inScope)}\n${code}`;
  const command = [
    ...(mounts ? ['unshare', '-m'] : []),
    ...['sh', '-c', `${shell} && exec "$0" "$@"`],
    ...[process.execPath, '--input-type=module', '-e', program],
  ];
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  context.onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    pid: child.pid ?? 0,
    async line() {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The number of a process that has ended and been reaped. */
export const deadPid = () => spawnSync('true').pid;

export const isRoot = process.geteuid?.() === 0;

export function requireRoot(context: TestContext): void {
  if (!isRoot) context.skip('only root can be another user');
}

export function requirePython(context: TestContext): void {
  if (spawnSync('python3', ['--version']).status !== 0) context.skip('there is no python3');
}

/** A shell that mounts what nobody else sees. */
export function requireMount(context: TestContext): void {
  const mount = ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'];
  if (spawnSync('unshare', mount).status !== 0) context.skip('no file system may be mounted here');
}

const nobody = 65_534;

/** Does it as a user who is not root, which a test of another user's rights needs. */
export async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
