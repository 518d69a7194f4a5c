/** What an operator finds, and can do, when keepers are killed, stopped, or interrupted before they have built a TD. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { builtMain } from '../../support/built.ts';
import { cli } from '../../support/cli.ts';
import { data, keeping } from '../../support/kept.ts';

const { spec } = keeping();
const sim = ['--host', 'sim'];

const keeperOf = async (name: string): Promise<number> => (await data(['show', name])).keeper.pid;

test('a keeper that is killed is found to be lost, and a second try succeeds', async () => {
  const file = spec('killed');
  await cli(['create', file, ...sim, '--start']);
  process.kill(await keeperOf('killed'), 'SIGKILL');
  expect(await cli(['wait', 'killed', '--for', 'lost', '--timeout', '1min'])).toMatchObject({
    exitCode: 0,
  });
  const { stdout } = await cli(['list']);
  expect(stdout).toMatch(/^killed +lost .*\(gone\)$/m);
  expect(stdout).toMatch(
    /^killed: its keeper, process \d+, died as it was running, .*its key slot is free$/m,
  );
  const again = await cli(['create', file, ...sim]);
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stderr).toContain('killed was here and is lost: this is its life 2');
  expect(await data(['show', 'killed'])).toMatchObject({ state: 'runnable', life: 2, notes: [] });
});

test('one that stands still holds up nobody, and `kill` ends it', async () => {
  await cli(['create', spec('still'), ...sim, '--start']);
  process.kill(await keeperOf('still'), 'SIGSTOP');
  // A process stands still only when it comes to see the signal.
  await expect.poll(async () => (await data(['show', 'still'])).state).toBe('unknown');
  for (const ask of [[], ['--ask']]) {
    const { items } = await data(['list', 'still', 'killed', ...ask]);
    expect(items).toMatchObject([{ state: 'unknown' }, { state: 'runnable' }]);
    expect(items[0].notes.join()).toContain('stopped by a signal');
  }
  for (const verb of ['pause', 'stop', 'console']) {
    const { exitCode, stderr } = await cli([verb, 'still']);
    expect({ verb, exitCode }).toEqual({ verb, exitCode: 1 });
    expect(stderr).toMatch(/\[TDCTL_E_NOT_ANSWERING\].*hint: `tdctl kill still`/s);
  }
  expect(await cli(['kill', 'still', '--wait', '--timeout', '1min'])).toMatchObject({
    exitCode: 0,
    stdout: 'still: lost\n',
  });
  expect(await cli(['delete', 'still'])).toMatchObject({ exitCode: 0, stdout: 'still: deleted\n' });
});

test('a TD that cannot be built is told as in `run`, and what is left says why', async () => {
  const fault = ['--fault', 'KVM_TDX_INIT_VM=EBUSY'];
  const { exitCode, stderr } = await cli(['create', spec('failing'), ...sim, ...fault]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 7 });
  expect(stderr).toContain('KVM_TDX_INIT_VM answered EBUSY');
  const shown = await cli(['show', 'failing']);
  expect(shown.stdout).toMatch(
    /state +failed: over.*error +initializingTd: KVM_TDX_INIT_VM answered EBUSY/s,
  );
  const waited = await cli(['wait', 'failing', '--for', 'runnable']);
  expect(waited).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('answered EBUSY') });
  // The fault was for the life that it was given to.
  expect(await cli(['start', 'failing'])).toMatchObject({ exitCode: 0 });
});

test('what is wrong with the file or the host is told before anything is begun', async () => {
  const many = spec('many', (text) => text.replace('vcpus: 4', 'vcpus: 4000'));
  expect(await cli(['create', many, ...sim])).toMatchObject({ exitCode: 7 });
  expect(await cli(['show', 'many'])).toMatchObject({ exitCode: 3 });
});

async function interrupt(name: string, times: number) {
  const args = [builtMain(), 'create', spec(name), ...sim];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  let sent = 0;
  const read = (text: Buffer) => {
    told += text;
    // It has said what it will do, and that it takes back what was begun.
    const due = told.includes('taking down') ? 2 : told.includes('TD ') ? 1 : 0;
    for (; sent < Math.min(due, times); sent++) child.kill('SIGINT');
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const [exitCode] = await once(child, 'close');
  return { exitCode, told };
}

test.each(['stop', 'kill'])(
  '`%s` as soon as one is in the list ends it, and its `create` says so',
  async (verb) => {
    const name = `hasty-${verb}`;
    const child = spawn(process.execPath, [builtMain(), 'create', spec(name), ...sim]);
    let told = '';
    child.stderr.on('data', (text: Buffer) => {
      told += text;
    });
    const closed = once(child, 'close');
    await expect.poll(async () => (await cli(['show', name])).exitCode, { interval: 5 }).toBe(0);
    // Its keeper may take no questions yet; and where it was quick, its TD is whole.
    expect(await cli([verb, name, '--wait'])).toMatchObject({ exitCode: 0, stderr: '' });
    const [exitCode] = await closed;
    if (exitCode !== 0) {
      expect({ exitCode, told }).toMatchObject({ exitCode: 130 });
      expect(told).toContain(`taken down (\`tdctl ${verb}\`) before it was runnable`);
    }
    expect(await data(['show', name])).toMatchObject({ state: 'destroyed', error: null });
  },
);

test('Ctrl-C takes down what was begun, and leaves nothing', async () => {
  const { exitCode, told } = await interrupt('one-ctrl-c', 1);
  expect({ exitCode, told }).toMatchObject({ exitCode: 130 });
  expect(told).toContain('everything was given back');
  expect(await cli(['show', 'one-ctrl-c'])).toMatchObject({ exitCode: 3 });
});

test('Ctrl-C twice leaves it to its keeper, which is in the list', async () => {
  const { exitCode, told } = await interrupt('two-ctrl-c', 2);
  expect({ exitCode, told }).toMatchObject({ exitCode: 130 });
  // It may not have begun to write when it was left.
  await expect.poll(async () => (await cli(['show', 'two-ctrl-c'])).exitCode).toBe(0);
  const { state } = await data(['show', 'two-ctrl-c']);
  // Whether it was asked to end before depends on how far it was.
  expect(['creating', 'runnable', 'stopping', 'releasing', 'destroyed']).toContain(state);
});
