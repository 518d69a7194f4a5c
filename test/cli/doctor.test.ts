/** `tdctl doctor` as its users meet it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli } from '../support/cli.ts';
import { tdctl } from '../support/tdctl.ts';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function copyOf(fixture: string): string {
  const directory = hostTree(fixture);
  made.push(directory);
  return directory;
}

describe('tdctl doctor prints a contract', () => {
  test.each([
    ['healthy', 0],
    ['hibernation', 6],
    ['virtual-machine', 6],
    ['leaked-slot', 0],
  ])('%s as text, exit %d', async (fixture, exitCode) => {
    const directory = copyOf(fixture);
    const run = await cli(['doctor', '--root', directory]);
    expect(run).toMatchObject({ exitCode, stderr: '' });
    await expect(run.stdout.replace(directory, 'DIR')).toMatchFileSnapshot(
      `../golden/doctor/${fixture}.txt`,
    );
  });

  test('as JSON, and as YAML the same', async () => {
    const directory = copyOf('wrong-kernel');
    const json = await cli(['doctor', '--root', directory, '-o', 'json']);
    const yaml = await cli(['doctor', '--root', directory, '-o', 'yaml']);
    const data = JSON.parse(json.stdout);
    expect(parseYaml(yaml.stdout)).toEqual(data);
    expect(data.host).toEqual({ name: directory, simulated: false });
    const stable = JSON.stringify({ ...data, host: { ...data.host, name: 'DIR' } }, null, 2);
    await expect(`${stable}\n`).toMatchFileSnapshot('../golden/doctor/wrong-kernel.json');
  });

  test.each(['healthy', 'hibernation', 'wrong-kernel', 'more-cpus-than-vcpus'])(
    '%s: no line is wider than 80 columns but for a path that is',
    async (fixture) => {
      const { stdout } = await cli(['doctor', '--root', copyOf(fixture)]);
      const wide = stdout.split('\n').filter((line) => line.length > 80);
      expect(wide.filter((line) => !/\S{40}/.test(line))).toEqual([]);
    },
  );

  test('colours change nothing but colours', async () => {
    const directory = copyOf('hibernation');
    const plain = await cli(['doctor', '--root', directory]);
    const colored = await cli(['doctor', '--root', directory], { colors: true });
    expect(colored.stdout).not.toBe(plain.stdout);
    expect(stripVTControlCharacters(colored.stdout)).toBe(plain.stdout);
  });

  test('--all shows the title of every check, and what was skipped', async () => {
    const { stdout } = await cli(['doctor', '--root', copyOf('virtual-machine'), '--all']);
    expect(stdout).toMatch(/^ {2}- {5}bios\.key-split +needs env\.virtual-machine$/m);
    expect(stdout).toContain('The BIOS leaves key IDs to TDX');
  });

  test('control characters of a copy never reach the terminal', async () => {
    const directory = copyOf('module-1.0');
    writeFileSync(
      join(directory, 'dmesg.txt'),
      'Linux version 7\nvirt/tdx: module not loaded \u001b]0;evil\u0007\u001b[2J\u009b31m\n',
    );
    const { stdout } = await cli(['doctor', '--root', directory]);
    expect(stdout).toContain('module not loaded');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the purpose
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

describe('tdctl doctor --root', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tdctl-doctor-'));
    made.push(folder);
  });

  test('an empty directory: exit 6, and it could not be told', async () => {
    const { exitCode, stdout } = await cli(['doctor', '--root', folder]);
    expect(exitCode).toBe(6);
    expect(stdout).toContain('could not be told');
  });

  test('a directory that does not exist: exit 3', async () => {
    const { exitCode, stderr } = await cli(['doctor', '--root', join(folder, 'none')]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('docs/doctor.md');
  });

  test('a file that is no capture: exit 5, and what it should be', async () => {
    writeFileSync(join(folder, 'junk.json'), 'junk');
    const { exitCode, stderr } = await cli(['doctor', '--root', join(folder, 'junk.json')]);
    expect(exitCode).toBe(5);
    expect(stderr).toContain('tdctl host capture FILE');
  });
});

describe('tdctl doctor --explain', () => {
  test('prints the section of the page', async () => {
    const { exitCode, stdout } = await cli(['doctor', '--explain', 'bios.key-split']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^bios\.key-split\n\n/);
    expect(stdout).toContain('private KeyID range [64, 128)');
    expect(stdout).not.toContain('```');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('an id that is none: exit 2, with those near it', async () => {
    const { exitCode, stderr } = await cli(['doctor', '--explain', 'bios.keysplit']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('bios.key-split');
  });
});

describe('tdctl doctor on this machine, as a process', () => {
  test('answers, with a conclusion that fits its checks', async () => {
    const { exitCode, stdout, stderr } = await tdctl(['doctor', '-o', 'json']);
    expect(stderr).toBe('');
    const { conclusion, firstCause, counts } = JSON.parse(stdout);
    expect(exitCode).toBe(conclusion === 'ready' ? 0 : 6);
    expect(counts.fail > 0).toBe(conclusion === 'not-ready');
    expect(firstCause === null).toBe(counts.fail === 0);
  });

  test('what a user may not read is said to be so, and is no failure', async (ctx) => {
    if (process.getuid?.() !== 0) ctx.skip('only root can become another user');
    const nobody = 65534;
    const directory = copyOf('healthy');
    chmodSync(directory, 0o700);
    const { exitCode, stdout } = await tdctl(['doctor', '--root', directory, '-o', 'json'], {
      uid: nobody,
    });
    expect(exitCode).toBe(6);
    const { conclusion, counts, checks } = JSON.parse(stdout);
    expect(conclusion).toBe('cannot-tell');
    expect(counts).toMatchObject({ fail: 0, warn: 0 });
    expect(checks).toContainEqual(
      expect.objectContaining({
        id: 'cpu.vendor',
        status: 'unknown',
        evidence: '/proc/cpuinfo may not be read by this user',
      }),
    );
  });
});

test('the help teaches, within 80 columns', async () => {
  const { stdout, exitCode } = await cli(['doctor', '--help']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('tdctl doctor --explain bios.key-split');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
