/** A keeper, from the process that starts it to its end. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import type { KeepRequest } from '../../src/keeper/request.ts';
import { builtModule, projectRoot } from '../support/built.ts';
import { hasEnded, stat, until } from '../support/processes.ts';
import {
  asked,
  filesOf,
  http,
  isOver,
  launch,
  recordsOf,
  spawnKeeper,
  statusOf,
} from './keepers.ts';

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof TdctlError) return error;
      throw error;
    },
  );

test('builds its TD, is told what it did and in which order, and gives all back by a signal', async () => {
  const events: string[] = [];
  const pid = await launch(asked('whole'), {
    onEvent: (event) => {
      if (event.event === 'state.entered') events.push(event.state);
    },
  });
  expect(events.at(0)).toBe('provisioning.creatingVm');
  expect(events.at(-1)).toBe('runnable');
  expect((await statusOf('whole')).td).toMatchObject({ state: 'runnable', holdsKeySlot: true });

  // A terminal that goes away is none of its business.
  process.kill(pid, 'SIGHUP');
  expect((await http('whole', 'GET', '/v1/td')).body).toMatchObject({ state: 'runnable' });
  process.kill(pid, 'SIGTERM');
  await isOver('whole');

  const { td } = await statusOf('whole');
  expect(td).toMatchObject({ state: 'destroyed', holdsKeySlot: false, error: null });
  const records = await recordsOf('whole');
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, at) => at + 1));
  expect(records.at(0)).toMatchObject({ kind: 'keeper', life: 1 });
  expect(records.at(-1)).toMatchObject({ kind: 'over', outcome: 'destroyed', leftoverCount: 0 });
  const { socket } = await filesOf('whole');
  expect(existsSync(socket)).toBe(false);
});

test('every step that takes something was written down before its first request', async () => {
  await launch(asked('intents', { start: true }));
  await http('intents', 'POST', '/v1/td/stop');
  await isOver('intents');
  const records = await recordsOf('intents');
  const begun = records.flatMap((record) =>
    record.kind === 'begins' ? [{ at: record.seq, step: record.step }] : [],
  );
  const ended = records.flatMap((record) =>
    record.kind === 'event' && record.told.event === 'step.ended'
      ? [{ at: record.seq, step: record.told.step }]
      : [],
  );
  expect(begun.map(({ step }) => step)).toEqual(ended.map(({ step }) => step));
  expect(begun.map(({ step }) => step)).toContain('initializingTd');
  for (const [at, { at: begunAt }] of begun.entries()) {
    expect(begunAt).toBeLessThan(ended[at]?.at ?? 0);
  }
});

/** By a process that is killed as soon as it has started the keeper. */
async function launchedByTheDead(request: KeepRequest): Promise<void> {
  const starter = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { launchKeeper } = await import(${JSON.stringify(builtModule('src/keeper/launch.ts'))});
       void launchKeeper(${JSON.stringify(request)}, { env: process.env });
       process.kill(process.pid, 'SIGKILL');`,
    ],
    { stdio: 'inherit' },
  );
  await new Promise((resolve) => starter.on('exit', resolve));
  const { status } = await filesOf(request.name);
  await until(() => existsSync(status));
}

test('the TD comes up although whoever started it is killed at once', async () => {
  await launchedByTheDead(asked('orphan'));
  const { keeper } = await statusOf('orphan');
  const { status } = await filesOf('orphan');
  const read = () => JSON.parse(readFileSync(status, 'utf8')).td?.state;
  await until(() => read() === 'runnable' || hasEnded(keeper.pid));
  expect(read()).toBe('runnable');
});

test('a keeper that nobody follows ends all the same where its TD cannot be built', async () => {
  await launchedByTheDead(asked('orphan-fails', { host: 'sim:none' }));
  await isOver('orphan-fails');
  const { td } = await statusOf('orphan-fails');
  expect(td).toMatchObject({ state: 'failed', error: { code: 'TDCTL_E_USAGE' } });
  const { log } = await filesOf('orphan-fails');
  expect(readFileSync(log, 'utf8')).toContain('there is no simulated host `none`');
});

test('needs nothing of its installation any more once it is up: it refuses, tears down and ends in words', async () => {
  const copy = mkdtempSync(join(tmpdir(), 'tdctl-copy-'));
  const program = [
    'dist/keeper.js',
    'dist/package.json',
    'package.json',
    'build/Release/tdctl.node',
  ];
  for (const part of [...program, 'examples']) {
    const from = join(projectRoot, part);
    if (existsSync(from)) cpSync(from, join(copy, part), { recursive: true });
  }
  const specPath = join(copy, 'examples/hello.yaml');
  // What is refused after that is told in words that were never needed before.
  const request: KeepRequest = asked('bereft', {
    specPath,
    faults: ['TDH.VP.ENTER#1=TDX_TD_FATAL'],
  });
  const { told, ended } = spawnKeeper(request, { program: join(copy, 'dist/keeper.js') });
  expect(await told).toContain('{"reached":"runnable"}');
  rmSync(copy, { recursive: true });
  mkdirSync(copy);

  const answer = await http('bereft', 'POST', '/v1/td/start');
  expect(answer.status).toBe(409);
  expect(await ended).toBe(1);
  rmSync(copy, { recursive: true });
  const { td } = await statusOf('bereft');
  expect(td).toMatchObject({ state: 'failed', holdsKeySlot: false });
  expect(td?.error).toMatchObject({ step: 'entering', code: 'TDCTL_E_GUEST' });
  expect(td?.error?.hint).toContain('TDH.VP.ENTER was refused');
});

test.each([
  {
    what: 'a firmware that is not there',
    changes: { spec: asked('x').spec.replace('hello.fd', 'none.fd') },
    code: 'TDCTL_E_NOT_FOUND',
    step: 'starting',
  },
  {
    what: 'a host that does not exist',
    changes: { host: 'sim:none' },
    code: 'TDCTL_E_USAGE',
    step: 'starting',
  },
  {
    what: 'a refused request',
    changes: { faults: ['KVM_CREATE_VM=ENOMEM'] },
    code: 'TDCTL_E_IOCTL',
    step: 'creatingVm',
  },
])(
  '$what is told to whoever waits, and found in the directory',
  async ({ changes, code, step }) => {
    const name = `fails-${step.toLowerCase()}-${code.slice(8).toLowerCase().replaceAll('_', '-')}`;
    const error = await errorOf(launch(asked(name, changes)));
    expect(error?.code).toBe(code);
    await isOver(name);
    const { td } = await statusOf(name);
    expect(td).toMatchObject({ state: 'failed', holdsKeySlot: false, error: { step, code } });
    expect((await recordsOf(name)).at(-1)).toMatchObject({ kind: 'over', outcome: 'failed' });
  },
);

test('of two that want one name at once, one gets it and the other is told who has it', async () => {
  const results = await Promise.allSettled([launch(asked('one')), launch(asked('one'))]);
  const refusals = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as TdctlError] : [],
  );
  expect(refusals.map(({ code }) => code)).toEqual(['TDCTL_E_CONFLICT']);
  expect((await statusOf('one')).td).toMatchObject({ state: 'runnable' });
});

test('a name whose TD is over is given to a new life only where that is asked for', async () => {
  const pid = await launch(asked('again'));
  process.kill(pid, 'SIGTERM');
  await isOver('again');
  expect((await errorOf(launch(asked('again'))))?.code).toBe('TDCTL_E_CONFLICT');
  await launch(asked('again', { again: true, start: true }));
  expect(await statusOf('again')).toMatchObject({ life: 2, td: { state: 'running' } });
  const [first] = await recordsOf('again');
  expect(first).toMatchObject({ kind: 'keeper', life: 2 });
});

test('whoever waits for a keeper that a signal has stopped is told, and does not wait for ever', async () => {
  const error = await errorOf(launch(asked('stopped'), { fault: 'stop-at:9' }));
  expect(error).toMatchObject({ code: 'TDCTL_E_NOT_ANSWERING' });
  const { keeper } = await statusOf('stopped');
  process.kill(keeper.pid, 'SIGCONT');
  process.kill(keeper.pid, 'SIGTERM');
  await isOver('stopped');
});

test.each(['stop', 'kill'])(
  'asked by `%s` while it builds, it tells whoever waits',
  async (verb) => {
    const name = `early-${verb}`;
    const { pid, told } = spawnKeeper(asked(name), { fault: 'stop-at:20' });
    await until(() => stat(pid)?.[0] === 'T');
    const goesOn = () => process.kill(pid, 'SIGCONT');
    expect((await http(name, 'POST', `/v1/td/${verb}`, goesOn)).body).toMatchObject({
      changed: true,
    });
    expect(await told).toContain(`taken down (\`tdctl ${verb}\`) before it was runnable`);
    await isOver(name);
    expect((await statusOf(name)).td).toMatchObject({ state: 'destroyed', holdsKeySlot: false });
  },
);

test('asked to stop while it builds, it gives back what there is, and whoever waits is told', async () => {
  const { pid, told, ended } = spawnKeeper(asked('early'), { fault: 'stop-at:20' });
  await until(() => stat(pid)?.[0] === 'T');
  process.kill(pid, 'SIGTERM');
  process.kill(pid, 'SIGCONT');
  expect(await told).toMatch(/"failed":\{"code":"TDCTL_E_INTERRUPTED"/);
  expect(await ended).toBe(0);
  expect((await statusOf('early')).td).toMatchObject({ state: 'destroyed', holdsKeySlot: false });
  const steps = (await recordsOf('early')).flatMap((record) =>
    record.kind === 'begins' ? [record.step] : [],
  );
  expect(steps.at(-1)).toBe('releasing');
  expect(steps).not.toContain('finalizing');
});

test('a keeper that dies without a word is told by how it died', async () => {
  const error = await errorOf(launch(asked('dies'), { fault: 'die-at:9' }));
  expect(error).toMatchObject({ code: 'TDCTL_E_NOT_ANSWERING' });
  expect(error?.message).toContain('SIGKILL');
  expect((await recordsOf('dies')).at(-1)?.seq).toBe(9);
});

test('what is asked for twice is done once, what does not fit is refused, and all of it is written down', async () => {
  await launch(asked('asked'));
  const post = async (verb: string) => {
    const { status, body } = await http('asked', 'POST', `/v1/td/${verb}`);
    return status === 200 || status === 202 ? body.changed : status;
  };
  expect(await post('pause')).toBe(409);
  expect(await post('resume')).toBe(409);
  expect(await post('start')).toBe(true);
  expect(await post('start')).toBe(false);
  expect(await post('pause')).toBe(true);
  expect(await post('pause')).toBe(false);
  expect(await post('start')).toBe(409);
  expect(await post('resume')).toBe(true);
  expect(await post('resume')).toBe(false);
  expect(await post('stop')).toBe(true);
  await isOver('asked');
  const verbs = (await recordsOf('asked')).flatMap((record) =>
    record.kind === 'asked' ? [record.verb] : [],
  );
  expect(verbs).toEqual([
    ...['pause', 'resume', 'start', 'start', 'pause', 'pause', 'start', 'resume', 'resume', 'stop'],
  ]);
});
