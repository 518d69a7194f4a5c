/** The verbs for kept TDs, on real keepers of simulated hosts: one TD goes through its life in the order of the file. */
import { expect, test } from 'vitest';
import { contracts } from '../../../src/cli/output/contract/index.ts';
import { cli } from '../../support/cli.ts';
import { data, keeping } from '../../support/kept.ts';

const { spec } = keeping();
const sim = ['--host', 'sim'];
const one = spec('one', (text) => text.replace('metadata:', 'metadata:\n  labels: {team: blue}'));

const said = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await cli(args);
  return { exitCode, told: `${stdout}${stderr}` };
};
const nothingToDo = { exitCode: 0, told: expect.stringContaining('one: nothing to do: ') };
const isRunning = { exitCode: 0, told: 'one: running\n' };
const conflict = { exitCode: 4, told: expect.stringContaining('[TDCTL_E_CONFLICT]') };

test('where nothing was ever kept the list is empty, and nothing is made', async () => {
  expect(await cli(['list'])).toMatchObject({
    exitCode: 0,
    stdout: 'no TDs are kept; `tdctl create SPEC` makes one\n',
  });
  expect(await data(['list'])).toMatchObject({ exitCode: 0, kind: 'tdctl.TdList', tds: [] });
});

test('a TD is shown as it is built, and is in the list when the command has ended', async () => {
  const { exitCode, stdout } = await cli(['create', one, ...sim]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^TD one on sim:.*✓ finalizing.*● runnable\n.*as predicted\n$/s);
  const { stdout: list } = await cli(['list']);
  expect(list).toMatch(/^NAME +STATE .*\none +runnable .* 4 +128 MiB +sim:spr-1\.5 +\d+\n$/);
  const { exitCode: _, ...td } = await data(['show', 'one']);
  expect(contracts['tdctl.Td'].parse(td)).toMatchObject({
    name: 'one',
    state: 'runnable',
    life: 1,
    labels: { team: 'blue' },
    holdsKeySlot: true,
    keeper: { lives: true },
    error: null,
    notes: [],
  });
});

test('the same again is no mistake, and what is otherwise is named and left as it is', async () => {
  expect(await said('create', one, ...sim)).toEqual(nothingToDo);
  expect(await said('apply', one, ...sim)).toEqual(nothingToDo);
  const larger = spec('one', (text) => text.replace('vcpus: 4', 'vcpus: 8'));
  const refused = await said('apply', larger, '--host', 'sim:gnr-2.0');
  expect(refused).toEqual(conflict);
  expect(refused.told).toContain('  spec.vcpus: 4 → 8\n');
  expect(refused.told).toContain('  metadata.labels.team: blue → none\n');
  expect(refused.told).toContain('  --host: sim → sim:gnr-2.0\n');
  expect(await data(['show', 'one'])).toMatchObject({ vcpus: 4, state: 'runnable', life: 1 });
});

test('each verb is done once, and says so when there was nothing to do', async () => {
  const steps: readonly (readonly [verb: string, state: string])[] = [
    ['start', 'running'],
    ['pause', 'paused'],
    ['resume', 'running'],
  ];
  for (const [verb, state] of steps) {
    expect(await said(verb, 'one')).toEqual({ exitCode: 0, told: `one: ${state}\n` });
    expect(await said(verb, 'one')).toEqual(nothingToDo);
    expect(await data(['show', 'one'])).toMatchObject({ state });
  }
  await cli(['pause', 'one']);
  expect(await said('start', 'one')).toEqual(conflict);
  await cli(['resume', 'one']);
});

test('a TD that lives is not deleted by the way', async () => {
  expect(await said('delete', 'one')).toEqual(conflict);
  expect(await said('prune')).toEqual({ exitCode: 0, told: 'nothing to do: no TD is over\n' });
  expect(await data(['list'])).toMatchObject({ tds: [{ name: 'one', state: 'running' }] });
});

test('several are done at once, a line for each, and the highest exit code is the end', async () => {
  await cli(['create', spec('two'), ...sim]);
  const { exitCode, stdout, stderr } = await cli(['pause', 'one', 'two', 'none', 'one']);
  expect(exitCode).toBe(4);
  expect(stdout).toBe('one: paused\n');
  expect(stderr).toMatch(/^error: TD two: .*\[TDCTL_E_CONFLICT\]\nhint: /m);
  expect(stderr).toMatch(/there is no TD `none` \[TDCTL_E_NOT_FOUND\]\nhint: did you mean `one`\?/);
  const { exitCode: _, ...told } = await data(['pause', 'one', 'two']);
  expect(contracts['tdctl.TdActions'].parse(told).actions).toEqual([
    { verb: 'pause', name: 'one', result: 'nothing-to-do', state: 'paused', error: null },
    expect.objectContaining({ name: 'two', result: 'failed', state: 'runnable' }),
  ]);
  expect(await said('resume', 'one', '-o', 'name')).toEqual({ exitCode: 0, told: 'one\n' });
});

test('labels select, and so does a state', async () => {
  const names = async (...args: string[]) => (await cli(['list', '-o', 'name', ...args])).stdout;
  expect(await names('-l', 'team=blue')).toBe('one\n');
  expect(await names('-l', 'team=red')).toBe('');
  expect(await names('--state', 'runnable', 'paused')).toBe('two\n');
  expect(await said('pause', '-l', 'team=red')).toEqual({
    exitCode: 0,
    told: 'nothing to do: no TD has team=red\n',
  });
  for (const args of [['pause'], ['pause', 'one', '--all'], ['pause', '-l', 'team']]) {
    expect(await cli(args)).toMatchObject({ exitCode: 2 });
  }
});

test('what can be no name is refused with the rule, and no file is looked for', async () => {
  for (const verb of ['show', 'stop', 'logs', 'console', 'events', 'delete']) {
    for (const name of ['../one', 'a'.repeat(300), '-rf', 'One', 'one/..', '']) {
      const { exitCode, told } = await said(verb, name);
      expect({ verb, name, exitCode }).toEqual({ verb, name, exitCode: 2 });
      expect(told).toMatch(/the name of a TD must be a DNS label: 1 to 63 of a-z/);
    }
  }
});

test('the keepers say the same as their files', async () => {
  const read = await data(['list']);
  const asked = await data(['list', '--ask']);
  const states = ({ tds }: { tds: { name: string; state: string }[] }) =>
    tds.map(({ name, state }) => ({ name, state }));
  expect(states(asked)).toEqual(states(read));
});

test('events tell who asked for what, from any number on', async () => {
  const { stdout } = await cli(['events', 'one', '-o', 'json']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => contracts['tdctl.TdEvent'].parse(JSON.parse(line)));
  expect(lines[0]).toMatchObject({ td: 'one', record: { seq: 1, kind: 'keeper', life: 1 } });
  const asked = lines.filter(({ record }) => record.kind === 'asked');
  expect(asked).toContainEqual(
    expect.objectContaining({
      record: expect.objectContaining({
        verb: 'pause',
        by: { pid: process.pid, uid: process.getuid?.() },
      }),
    }),
  );
  const last = lines.at(-1)?.record.seq as number;
  const { stdout: rest } = await cli(['events', 'one', '--since', String(last - 1), '-o', 'json']);
  expect(rest).toBe(`${stdout.trim().split('\n').at(-1)}\n`);
  expect((await cli(['events', '--all'])).stdout).toMatch(/Z {2}two {2}runnable\n/);
});

test('a wait ends when it is reached, when the time is over, and when it cannot come', async () => {
  expect(await said('wait', 'one', '--for', 'running', '--timeout', '5s')).toEqual(isRunning);
  expect(await said('wait', 'one', '--for', 'runnable')).toEqual(isRunning);
  const late = await said('wait', 'one', '--for', 'paused', '--timeout', '50ms');
  expect(late).toEqual({ exitCode: 1, told: expect.stringContaining('[TDCTL_E_NOT_REACHED]') });
  expect(late.told).toContain('is running after 0.05 s, and not paused');
  const [pausing] = await Promise.all([
    said('wait', 'one', '--for', 'paused', '--timeout', '1min'),
    cli(['pause', 'one']),
  ]);
  expect(pausing).toEqual({ exitCode: 0, told: 'one: paused\n' });
});

test('a stop begins, and with --wait the key slot is seen to be free', async () => {
  const begun = await said('stop', 'two');
  expect(begun).toEqual({
    exitCode: 0,
    told: expect.stringMatching(/^two: (stopping|releasing|destroyed)/),
  });
  expect(await said('stop', 'one', '--wait')).toEqual({ exitCode: 0, told: 'one: destroyed\n' });
  expect(await said('stop', 'one', '--wait')).toEqual(nothingToDo);
  expect(await said('kill', 'one')).toEqual(nothingToDo);
  expect(await said('wait', '--all', '--for', 'over', '--timeout', '1min')).toMatchObject({
    exitCode: 0,
  });
  expect(await data(['list'])).toMatchObject({
    tds: [
      { name: 'one', state: 'destroyed', holdsKeySlot: false },
      { name: 'two', state: 'destroyed', holdsKeySlot: false },
    ],
  });
  expect(await said('pause', 'one')).toEqual(conflict);
  expect(await said('console', 'one')).toEqual(conflict);
  const never = await said('wait', 'one', '--for', 'running');
  expect(never).toEqual({ exitCode: 1, told: expect.stringContaining('will not be running') });
});

test('what is over begins a new life, and what no one wants any more is deleted', async () => {
  expect(await said('start', 'one')).toEqual({ exitCode: 0, told: 'one: running, its life 2\n' });
  expect(await data(['show', 'one'])).toMatchObject({ state: 'running', life: 2 });
  expect(await said('prune', '--dry-run')).toEqual({
    exitCode: 0,
    told: 'two: would be deleted\n',
  });
  expect(await said('prune')).toEqual({ exitCode: 0, told: 'two: deleted\n' });
  const [waited] = await Promise.all([
    said('wait', 'one', '--for', 'deleted', '--timeout', '1min'),
    cli(['delete', 'one', '--force']),
  ]);
  expect(waited).toEqual({ exitCode: 0, told: 'one: deleted\n' });
  expect(await said('wait', 'one', '--for', 'deleted')).toEqual(nothingToDo);
  expect(await data(['list'])).toMatchObject({ tds: [] });
});
