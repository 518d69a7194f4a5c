/** `npm start` in a checkout that is built: which host it takes, and what it says of the other. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, type TestContext, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';

const here = mkdtempSync(join(tmpdir(), 'tdctl-start-'));
const addon = 'build/Release/tdctl.node';
const lineToType = 'npm run build:native && npm start';

/** The script takes what lies around it for the checkout, so it is copied, and the rest is linked. */
beforeAll(() => {
  builtMain();
  chmodSync(here, 0o755);
  mkdirSync(join(here, 'scripts'));
  copyFileSync(join(projectRoot, 'scripts/start.mjs'), join(here, 'scripts/start.mjs'));
  for (const path of ['scripts/build-native.mjs', 'dist', 'examples']) {
    symlinkSync(join(projectRoot, path), join(here, path));
  }
});
beforeEach(() => rmSync(join(here, 'build'), { force: true }));
afterAll(() => rmSync(here, { recursive: true }));

function start(as: { uid?: number } = {}) {
  return spawnSync(process.execPath, ['scripts/start.mjs'], {
    cwd: here,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: join(here, 'cache') },
    ...as,
  });
}

function requireKvm(context: TestContext): void {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

test('without the addon the whole life is simulated, nothing is built, and the line that builds it is said', (context) => {
  requireKvm(context);
  const { status, stdout, stderr } = start();
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^TD hello on sim:/);
  expect(stdout).toContain('destroyed: everything was given back');
  expect(stderr).toContain('$ tdctl run examples/hello.yaml --host sim --until running\n');
  expect(stderr).toContain(`\n  ${lineToType}\n`);
  expect(existsSync(join(here, 'build'))).toBe(false);
});

test('what it prints without the addon is what the README shows', () => {
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const sample = /^TD hello on [\s\S]*?^destroyed: .*\n/m.exec(readme)?.[0] ?? 'no sample';
  expect(withoutTimes(start().stdout)).toBe(withoutTimes(sample));
});

test('with the addon the guest runs in a real VM', (context) => {
  requireKvm(context);
  if (!existsSync(join(projectRoot, addon))) context.skip('the native addon is not built');
  symlinkSync(join(projectRoot, 'build'), join(here, 'build'));
  const { status, stdout, stderr } = start();
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^TD hello on soft:/);
  expect(stdout).toContain('of a plain VM');
  expect(stderr).not.toContain(lineToType);
});

test('where /dev/kvm cannot be opened, that is said, and no addon is offered', (context) => {
  const { uid } = userWithoutKvm(context);
  const { status, stdout, stderr } = start(uid === undefined ? {} : { uid });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^TD hello on sim:/);
  expect(stderr).toMatch(/^No guest can run here, so all of it is simulated: \/dev\/kvm cannot be/);
  expect(stderr).not.toContain(lineToType);
});

function withoutTimes(text: string): string {
  return text.replaceAll(/ +\d+(\.\d+)? (µs|ms|s)(?=\s)/g, ' <time>');
}

/** This user, where it may not open it; else one that nobody is. */
function userWithoutKvm(context: TestContext): { uid?: number } {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return {};
  }
  if (process.getuid?.() !== 0)
    context.skip('/dev/kvm can be opened, and only root can be another');
  if ((statSync('/dev/kvm').mode & 0o006) !== 0) context.skip('/dev/kvm is open to everybody');
  return { uid: 65_534 };
}
