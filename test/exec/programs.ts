/** The programs of test/fixtures/exec: compiled once, and run by `tdctl exec` as a user would. */
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, type TestContext } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import type { ExecSummary } from '../../src/exec/index.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { type Ended, type TdctlOptions, tdctl } from '../support/tdctl.ts';

const sources = join(projectRoot, 'test/fixtures/exec');
/** Nobody: a user who owns nothing and may do nothing special. */
const nobody = 65_534;

/** A directory that every user may write to. */
export const scratch = mkdtempSync(join(tmpdir(), 'tdctl-exec-'));
chmodSync(scratch, 0o777);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const compiled = new Map<string, string>();

/** Path of a program, or a skip that says what is missing. */
export function program(
  context: TestContext,
  name: string,
  { flags = [] }: { readonly flags?: readonly string[] } = {},
): string {
  requireSupervision(context);
  const key = [name, ...flags].join(' ');
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const path = join(scratch, key.replaceAll(/\W+/g, '-'));
  const strict = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1', '-pthread'];
  const cc = spawnSync('cc', [...strict, ...flags, join(sources, `${name}.c`), '-o', path], {
    encoding: 'utf8',
  });
  if (cc.error !== undefined) context.skip('there is no C compiler (cc) to make the programs with');
  if (cc.status !== 0 && flags.includes('-static')) {
    context.skip('the C library of this machine cannot be linked statically');
  }
  if (cc.status !== 0) throw new Error(`cc failed for ${name}.c:\n${cc.stderr}`);
  compiled.set(key, path);
  return path;
}

let unsupported: string | undefined;
let asked = false;

/** Skips where programs cannot be supervised at all, and says why. */
export function requireSupervision(context: TestContext): void {
  if (!asked) unsupported = whyUnsupported();
  asked = true;
  if (unsupported !== undefined) context.skip(unsupported);
}

function whyUnsupported(): string | undefined {
  const native = loadAddon();
  if (!native.available) return 'the native addon is not built';
  const { status, stderr } = spawnSync(process.execPath, [builtMain(), 'exec', '--', 'true'], {
    encoding: 'utf8',
  });
  return status === 8 ? `no program can be supervised here: ${stderr.split('\n')[0]}` : undefined;
}

export interface Executed extends Ended {
  readonly summary: ExecSummary;
}

let summaries = 0;

/** Runs `tdctl exec OPTIONS -- COMMAND`. */
export async function execute(
  command: readonly string[],
  { host = 'sim', args = [], as = {} }: ExecuteOptions = {},
): Promise<Executed> {
  summaries += 1;
  const path = join(scratch, `summary-${summaries}.json`);
  const all = ['exec', '--host', host, '--summary', path, ...args, '--', ...command];
  const ended = await tdctl(all, as);
  return { ...ended, summary: readSummary(path, ended) };
}

export interface ExecuteOptions {
  readonly host?: string;
  readonly args?: readonly string[];
  readonly as?: TdctlOptions;
}

function readSummary(path: string, { stderr }: Ended): ExecSummary {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ExecSummary;
  } catch (cause) {
    throw new Error(`there is no summary; stderr: ${stderr}`, { cause });
  }
}

/** Whom to run a test as: an ordinary user too, where these tests are run by root. */
export const users = ['the user of these tests', 'an ordinary user'] as const;

export function userOptions(context: TestContext, user: (typeof users)[number]): TdctlOptions {
  if (user === 'the user of these tests') return {};
  if (process.getuid?.() !== 0) context.skip('only root can run a program as another user');
  if (!isReadableToAll(projectRoot)) {
    context.skip('the project is in a directory that an ordinary user cannot read');
  }
  return { uid: nobody };
}

function isReadableToAll(path: string): boolean {
  accessSync(path, constants.R_OK);
  const { status } = spawnSync(
    process.execPath,
    ['-e', `require('fs').readdirSync(${JSON.stringify(path)})`],
    {
      uid: nobody,
      gid: nobody,
    },
  );
  return status === 0;
}
