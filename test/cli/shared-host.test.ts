/** `tdctl host start` and what follows it: a real process that stays, and commands that join it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { stat } from '../support/processes.ts';

const spec = `${projectRoot}/examples/hello.yaml`;
const name = 'lab';

interface Shown {
  readonly state: string;
  readonly server: { readonly pid: number };
  readonly keySlots: { readonly used: number; readonly total: number };
  readonly programs: readonly { readonly pid: number; readonly calls: number }[];
}

const show = async (): Promise<Shown> =>
  JSON.parse((await cli(['host', 'show', name, '-o', 'json'])).stdout);

async function until(condition: (shown: Shown) => boolean): Promise<Shown> {
  for (;;) {
    const shown = await show();
    if (condition(shown)) return shown;
  }
}

const start = (...options: string[]) =>
  cli(['host', 'start', name, '--host', 'sim:gnr-2.0', ...options]);

beforeAll(() => void builtMain());
afterEach(async () => {
  await cli(['host', 'stop', name, '--now']);
});

describe('a host that stays', () => {
  test('is started once, joined by commands, made to fail, and stopped', async () => {
    expect(await start()).toMatchObject({ exitCode: 0, stdout: `${name}\n` });
    expect(await start()).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('there is a shared host lab already'),
    });
    expect((await cli(['host', 'list'])).stdout).toMatch(
      /lab +serving +0 of 127 in use +0 +sim:gnr-2.0/,
    );
    const run = () => cli(['run', spec, '--host', `on:${name}`, '--until', 'running']);
    expect(await run()).toMatchObject({ exitCode: 0 });
    const asked = await cli(['host', 'fault', name, 'KVM_CREATE_VCPU=ENOMEM']);
    expect(asked.stderr).toBe('lab: to come: KVM_CREATE_VCPU=ENOMEM\n');
    expect(await run()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('KVM_CREATE_VCPU answered ENOMEM'),
    });
    expect(await run()).toMatchObject({ exitCode: 0 });
    const plan = await cli(['plan', spec, '--host', `on:${name}`, '-o', 'json']);
    expect(JSON.parse(plan.stdout).host).toEqual({ name: 'on:lab', simulated: true });
    const host = await cli(['host', '--host', `on:${name}`, '--room', spec]);
    expect(host.stdout).toContain('on:lab, a simulated host that programs share');
    expect(await cli(['host', 'stop', name])).toMatchObject({ exitCode: 0 });
    expect(await cli(['host', 'show', name])).toMatchObject({ exitCode: 3 });
    expect(JSON.parse((await cli(['host', 'list', '-o', 'json'])).stdout).hosts).toEqual([]);
  });

  test('has its slot back when a program is killed, and is not stopped under one unasked', async () => {
    await start();
    const args = [builtMain(), 'run', spec, '--host', `on:${name}`];
    const program = spawn(process.execPath, args, { stdio: 'ignore' });
    await until(({ keySlots, programs }) => keySlots.used === 1 && programs.length === 1);
    expect(await cli(['host', 'stop', name])).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('a program is on the host'),
    });
    program.kill('SIGKILL');
    const { keySlots } = await until(({ programs }) => programs.length === 0);
    expect(keySlots.used).toBe(0);
  });

  test('that is killed is told to its programs and to who looks for it, and can be had again', async () => {
    await start();
    const running = cli(['run', spec, '--host', `on:${name}`]);
    const { server: host } = await until(
      ({ programs, keySlots }) => programs.length === 1 && keySlots.used === 1,
    );
    process.kill(host.pid, 'SIGKILL');
    expect(await running).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('its process has ended without a word'),
    });
    expect((await cli(['host', 'list'])).stdout).toMatch(/lab +lost/);
    expect(await cli(['run', spec, '--host', `on:${name}`])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('was killed'),
    });
    expect(await start()).toMatchObject({ exitCode: 0 });
    expect(await show()).toMatchObject({ state: 'serving', keySlots: { used: 0 } });
  });

  test('that a signal has stopped is listed at once, and keeps nobody waiting', async () => {
    await start();
    const { server } = await show();
    process.kill(server.pid, 'SIGSTOP');
    try {
      while (stat(server.pid)?.[0] !== 'T') await new Promise((resolve) => setImmediate(resolve));
      expect(await show()).toMatchObject({ state: 'stopped' });
      expect((await cli(['host', 'list'])).stdout).toMatch(/lab +stopped/);
      for (const args of [
        ['run', spec, '--host', `on:${name}`],
        ['host', 'stop', name],
      ]) {
        expect(await cli(args)).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining(`kill -CONT ${server.pid}`),
        });
      }
    } finally {
      process.kill(server.pid, 'SIGCONT');
      await until(({ state }) => state === 'serving');
    }
  });

  test('tells what its programs ask until it ends', async () => {
    await start('--kernel', 'series-v19');
    const trace = spawn(process.execPath, [builtMain(), 'host', 'trace', name], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let told = '';
    trace.stdout.on('data', (text) => {
      told += text;
    });
    const ended = once(trace, 'close');
    // It has begun once a call is told.
    while (!told.includes('KVM_CREATE_VM')) {
      await cli(['host', '--host', `on:${name}`]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await cli(['host', 'stop', name]);
    await ended;
    expect(told).toMatch(/^T\d+ {2}sys#\d+\.KVM_CREATE_VM\(type=KVM_X86_TDX_VM\) = fd \[vm#\d+\]/m);
    expect(told).toMatch(/vm#\d+\.KVM_TDX_CAPABILITIES/);
  });
});

describe('a host that is asked for wrongly', () => {
  test.each([
    [['run', spec, '--host', 'on:nope'], 3, 'there is no shared host nope'],
    [['run', spec, '--host', 'on:NOPE'], 2, 'the name of a shared host'],
    [['run', spec, '--host', 'on:nope', '--kernel', 'series-v9'], 2, 'has its kernel'],
    [
      ['run', spec, '--host', 'on:nope', '--fault', 'KVM_CREATE_VM=ENOMEM'],
      2,
      'tdctl host fault nope',
    ],
    [['host', 'start', 'x', '--host', 'kvm'], 2, 'simulated as a whole'],
    [['host', 'start', 'x', '--host', 'sim:none'], 2, 'there is no simulated host `none`'],
    [['host', 'start', 'x', '--host', 'sim:mismatch'], 8, 'KVM did not load'],
    [['host', 'stop', 'nope'], 3, 'there is no shared host nope'],
    [['host', 'fault', 'nope', 'KVM_CREATE_VM=ENOMEM'], 3, 'there is no shared host nope'],
    [
      ['rehearse', `${projectRoot}/examples/rehearsals/upgrade.yaml`, '--host', 'on:lab'],
      2,
      'is shared',
    ],
  ])('%s', async (args, exitCode, words) => {
    expect(await cli(args)).toMatchObject({ exitCode, stderr: expect.stringContaining(words) });
  });
});
