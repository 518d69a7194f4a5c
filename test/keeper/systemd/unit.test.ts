/** The unit of a keeper, as systemd is asked for it and as systemd itself reads it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { memoryMaxBytes, tasksMax } from '../../../src/keeper/systemd/limits.ts';
import { managerOf } from '../../../src/keeper/systemd/manager.ts';
import {
  keeperProperties,
  systemdRunArguments,
  type UnitOptions,
  unitProperties,
} from '../../../src/keeper/systemd/unit.ts';
import { projectRoot } from '../../support/built.ts';

const td = { memoryBytes: 2 ** 31, vcpus: 4 };
const options: UnitOptions = {
  name: 'web',
  manager: 'system',
  command: ['/usr/bin/node', '/usr/lib/node_modules/tdctl/dist/keeper.js', 'web'],
  input: '{"version":1,"name":"web","spec":"# π 100%\\n"}',
  env: { TDCTL_STATE_DIR: '/run/tdctl' },
  memoryMaxBytes: memoryMaxBytes(td),
  tasksMax: tasksMax(td),
};

const template = () =>
  readFileSync(join(projectRoot, 'examples/systemd/tdctl-td@.service'), 'utf8');

function directory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'td-unit-'));
  context.onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** @returns what `systemd-analyze verify` finds wrong with a unit file. */
function verify(context: TestContext, name: string, text: string): string {
  const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
  if (analyze.status !== 0) context.skip('systemd-analyze is not there');
  const path = join(directory(context), name);
  writeFileSync(path, text);
  // It cannot be 'transient': a file says the same.
  const { stderr, stdout, status } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_LOG_LEVEL: 'warning' },
  });
  return status === 0 && stderr === '' ? '' : `${status} ${stdout}${stderr}`;
}

/** The same properties as a file; `%` begins a specifier there. */
function asFile(given: UnitOptions): string {
  const properties = unitProperties(given).map(
    ([name, value]) => `${name}=${value.replaceAll('%', '%%')}`,
  );
  return `[Unit]\nDescription=TD\n[Service]\nExecStart=${process.execPath} /dev/null\n${properties.join('\n')}\n`;
}

describe('the unit of a keeper', () => {
  test('is asked for with these arguments', async () => {
    await expect(`${systemdRunArguments(options).join('\n')}\n`).toMatchFileSnapshot(
      '../../golden/systemd-run-system.txt',
    );
    const ofUser = { ...options, manager: 'user', memoryMaxBytes: undefined } as const;
    await expect(`${systemdRunArguments(ofUser).join('\n')}\n`).toMatchFileSnapshot(
      '../../golden/systemd-run-user.txt',
    );
  });

  test('gives the keeper its request byte for byte', () => {
    const properties = new Map(unitProperties(options));
    expect(Buffer.from(properties.get('StandardInputData') ?? '', 'base64').toString()).toBe(
      options.input,
    );
  });

  test('has only properties that systemd knows, with values that it takes', (context) => {
    expect(verify(context, 'tdctl-td-web.service', asFile(options))).toBe('');
    // The trial would find a mistake.
    expect(verify(context, 'tdctl-td-web.service', `${asFile(options)}ExitTypo=cgroup\n`)).toMatch(
      /ExitTypo/,
    );
  });

  test('leaves room for the memory of the TD and of its keeper', () => {
    expect(memoryMaxBytes(td)).toBeGreaterThan(td.memoryBytes + 192 * 2 ** 20);
    expect(memoryMaxBytes(td)).toBeLessThan(td.memoryBytes * 1.2);
  });
});

describe('the unit file of the examples', () => {
  test('is one that systemd takes', (context) => {
    const bin = directory(context);
    mkdirSync(join(bin, 'bin'));
    const program = join(bin, 'bin/tdctl');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const text = template()
      .replace('/usr/bin/tdctl', program)
      .replace(/^Documentation=.*\n/m, '');
    expect(verify(context, 'tdctl-td@web.service', text)).toBe('');
  });

  test('has the settings that every keeper has', () => {
    const lines = template().split('\n');
    for (const [name, value] of keeperProperties) expect(lines).toContain(`${name}=${value}`);
  });
});

describe('the manager that is asked', () => {
  const machine = (uid: number, ...directories: string[]) => ({
    uid,
    env: uid === 0 ? {} : { XDG_RUNTIME_DIR: `/run/user/${uid}` },
    hasDirectory: (path: string) => directories.includes(path),
  });

  test('is that of the system for root, and that of the user for others', () => {
    expect(managerOf(machine(0, '/run/systemd/system'))).toBe('system');
    expect(managerOf(machine(1000, '/run/systemd/system', '/run/user/1000/systemd'))).toBe('user');
  });

  test('is none where the machine was not booted with systemd, or the user has no manager', () => {
    const refusal = (reason: RegExp) =>
      expect.objectContaining({
        code: 'TDCTL_E_HOST_UNSUPPORTED',
        exitCode: 8,
        message: expect.stringMatching(reason),
      });
    expect(() => managerOf(machine(0))).toThrow(refusal(/not booted with systemd/));
    expect(() => managerOf(machine(1000, '/run/systemd/system'))).toThrow(
      refusal(/user 1000 has no service manager/),
    );
  });
});
