/**
 * The package as a user gets it: packed, and installed into an empty prefix where no compiler can be found.
 * What is installed is run there by this Node.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';

const addon = join(projectRoot, 'build/Release/tdctl.node');
const hasAddon = existsSync(addon);
const here = mkdtempSync(join(tmpdir(), 'tdctl-package-'));
const empty = join(here, 'empty');
/** Node and the shell of npm's own, and no compiler. */
const programs = join(here, 'programs');
const env = { PATH: programs, HOME: here, NO_COLOR: '1' };

beforeAll(() => {
  builtMain();
  for (const directory of [empty, programs]) mkdirSync(directory);
  for (const program of [process.execPath, '/bin/sh', '/bin/true', '/usr/bin/env']) {
    symlinkSync(
      program,
      join(programs, program === process.execPath ? 'node' : program.replace(/.*\//, '')),
    );
  }
  if (hasAddon) node('scripts/build-native.mjs', '--prebuilt');
  const packed = npm('pack', '--ignore-scripts', '--json', '--pack-destination', here);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  npm(
    'install',
    '--global',
    '--prefix',
    join(here, 'prefix'),
    '--prefer-offline',
    join(here, filename),
  );
});
afterAll(() => rmSync(here, { recursive: true }));

function node(...args: string[]): void {
  execFileSync(process.execPath, args, { cwd: projectRoot, stdio: 'pipe' });
}

function npm(...args: string[]): string {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund'], {
    cwd: projectRoot,
    encoding: 'utf8',
  });
}

const installed = join(here, 'prefix/lib/node_modules/tdctl');

function tdctl(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(join(here, 'prefix/bin/tdctl'), args, {
    cwd: empty,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the installed tdctl', () => {
  test('takes a TD through its life', () => {
    const { status, stdout } = tdctl('init', 'td.yaml');
    expect({ status, stdout }).toMatchObject({ status: 0 });
    const hello = join(installed, 'examples/hello.yaml');
    const ran = tdctl('run', hello, '--host', 'sim', '--until', 'runnable');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('destroyed: everything was given back');
  });

  test('draws a chart where the build has put its states', () => {
    const { status, stdout } = tdctl('graph', 'td-lifecycle', '-o', 'life.html');
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(existsSync(join(empty, 'life.html'))).toBe(true);
  });

  test('knows how wide text is of which it has to ask others', () => {
    expect(tdctl('explain', '日本語'.repeat(60)).stderr).toContain('日本語');
  });

  test.skipIf(!hasAddon)(
    'runs a program under its supervision with the addon that came along',
    (context) => {
      const { status, stderr } = tdctl('exec', '--', '/bin/true');
      context.skip(/cannot be supervised here/.test(stderr), stderr);
      expect({ status, stderr }).toMatchObject({ status: 0 });
    },
  );

  test.skipIf(!hasAddon)('has the host soft where there is /dev/kvm', (context) => {
    context.skip(!existsSync('/dev/kvm'), 'no /dev/kvm');
    const { status, stdout } = tdctl('host', '--host', 'soft');
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toContain('soft');
  });

  test('keeps what was compiled in the cache of the user', () => {
    const { status, stdout } = tdctl('--version');
    const kept = join(here, '.cache/tdctl', `tdctl-${process.version}-${process.arch}`);
    expect({ status, isKept: existsSync(kept) }).toEqual({ status: 0, isKept: true });
    expect(tdctl('--version').stdout).toBe(stdout);
  });

  test('names the lines of our sources in the stack of a defect', () => {
    const defect = `
      JSON.stringify = () => { throw new Error('met'); };
      process.argv = [process.execPath, 'tdctl', 'kernels', '-o', 'json'];
      await import(${JSON.stringify(join(installed, 'dist/tdctl.js'))});`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', defect], {
      cwd: empty,
      env,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/Error: met\n[\s\S]* \(?\S*\/src\/cli\/show-kernels\.ts:\d+:\d+/);
  });
});

test('no content is in the package twice', () => {
  const hashes = execFileSync('sh', ['-c', 'find . -type f -size +0 | xargs sha256sum | sort'], {
    cwd: installed,
    encoding: 'utf8',
  });
  const files = hashes
    .split('\n')
    .filter((line) => line !== '' && !line.includes('./node_modules/'));
  const twice = files.filter((line, at) => files[at - 1]?.slice(0, 64) === line.slice(0, 64));
  expect(files.length).toBeGreaterThan(100);
  expect(twice).toEqual([]);
});
