/** `create --unit`: no systemd is needed for what tdctl does itself; a program in its place starts what it is given. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { launchInUnit } from '../../../src/cli/kept/create/launch-unit.ts';
import { apiRange } from '../../../src/keeper/identity.ts';
import type { KeepRequest } from '../../../src/keeper/request.ts';
import { openStateDirectory } from '../../../src/keeper/state-directory.ts';
import { cli } from '../../support/cli.ts';
import { data, keeping } from '../../support/kept.ts';

const { spec } = keeping();
const programs = mkdtempSync(join(tmpdir(), 'tdctl-unit-'));
const path = process.env.PATH;
afterAll(() => {
  process.env.PATH = path;
  rmSync(programs, { recursive: true });
});

/** As systemd-run does, it returns when the unit is ready: here, when the status says so; or when it has ended. */
const systemdRun = `#!${process.execPath}
const { spawn } = require('node:child_process');
const { readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const options = args.slice(0, args.indexOf('--'));
const [program, ...words] = args.slice(args.indexOf('--') + 1);
const valueOf = (option) => options.find((each) => each.startsWith(option)).slice(option.length);
const input = Buffer.from(valueOf('--property=StandardInputData='), 'base64');
const state = valueOf('--setenv=TDCTL_STATE_DIR=');
const child = spawn(program, words, {
  detached: true,
  stdio: ['pipe', 'ignore', 'ignore'],
  env: { TDCTL_STATE_DIR: state },
});
child.stdin.end(input);
// One that ends before it is ready has failed, whatever its exit code.
child.on('exit', (code) => process.exit(code || 1));
setInterval(() => {
  try {
    const { td } = JSON.parse(readFileSync(state + '/td/' + JSON.parse(input).name + '/status.json'));
    if (td !== null && td.state === 'runnable') process.exit(0);
  } catch {}
}, 20);
`;

function asked(name: string, more: Partial<KeepRequest> = {}): KeepRequest {
  const specPath = spec(name);
  const common = { version: 1, host: 'sim', start: false, queue: false, again: true } as const;
  return {
    ...common,
    name,
    spec: readFileSync(specPath, 'utf8'),
    specPath,
    api: apiRange,
    ...more,
  };
}

async function launched(request: KeepRequest) {
  writeFileSync(join(programs, 'systemd-run'), systemdRun, { mode: 0o755 });
  process.env.PATH = `${programs}:${path}`;
  const state = await openStateDirectory(process.env, { create: true });
  const steps: string[] = [];
  const unit = { manager: 'system', memoryBytes: null, vcpus: 4 } as const;
  await launchInUnit(unit, state)(request, {
    env: process.env,
    onEvent: (event) => {
      if (event.event === 'step.ended') steps.push(event.step);
    },
  });
  return steps;
}

test('where there is no systemd it is said before anything is begun', async (context) => {
  if (existsSync('/run/systemd/system')) context.skip('systemd is here');
  const { exitCode, stderr } = await cli(['create', spec('none'), '--host', 'sim', '--unit']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 8 });
  expect(stderr).toContain('leave --unit out');
  expect((await cli(['show', 'none'])).exitCode).toBe(3);
});

test('each step is told from the journal, and the keeper goes on', async () => {
  const steps = await launched(asked('unit', { unit: 'tdctl-td-unit.service' }));
  expect(steps.at(0)).toBe('creatingVm');
  expect(steps.at(-1)).toBe('finalizing');
  expect(await data(['show', 'unit'])).toMatchObject({
    state: 'runnable',
    keeper: { unit: 'tdctl-td-unit.service', lives: true },
  });
});

test('the steps of a life before are not told again', async () => {
  await cli(['stop', 'unit', '--wait']);
  const steps = await launched(asked('unit'));
  expect(steps.filter((step) => step === 'creatingVm')).toHaveLength(1);
  expect(steps).not.toContain('releasing');
});

test('one that somebody stops is told so, and not as what systemd says of the unit', async () => {
  const building = launched(asked('unwanted'));
  building.catch(() => undefined);
  await expect
    .poll(async () => (await cli(['show', 'unwanted'])).exitCode, { interval: 5 })
    .toBe(0);
  const stopped = await cli(['stop', 'unwanted', '--wait']);
  expect(stopped).toMatchObject({ exitCode: 0 });
  await building.then(
    // It was built before it was asked to end.
    () => undefined,
    (error) =>
      expect(error).toMatchObject({
        code: 'TDCTL_E_INTERRUPTED',
        message: expect.stringContaining('taken down (`tdctl stop`) before it was runnable'),
      }),
  );
});

test('a TD that fails is told as its keeper told it, and not as what systemd says of the unit', async () => {
  const faults = ['KVM_TDX_INIT_VM=EBUSY'];
  await expect(launched(asked('failing', { faults }))).rejects.toMatchObject({
    code: 'TDCTL_E_CGROUP_LIMIT',
    message: expect.stringContaining('KVM_TDX_INIT_VM answered EBUSY'),
  });
});
