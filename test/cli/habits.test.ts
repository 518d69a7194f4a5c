/** Words that people bring from other programs lead to what they want, and never to something else. */
import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

/** What the hint must name, of each word that newcomers were seen to try. */
const answered: Readonly<Record<string, string>> = {
  validate: 'tdctl plan SPEC',
  up: 'tdctl create SPEC --start',
  launch: 'tdctl create SPEC --start',
  move: 'tdctl migrate NAME',
  lint: 'tdctl trace lint FILE',
  restart: 'tdctl start NAME',
  ssh: 'tdctl console NAME',
  monitor: 'tdctl events --all -f',
  top: 'tdctl list --watch',
  limits: 'tdctl host',
};

test.each(Object.entries(answered))('`%s` is answered with %s', async (word, wanted) => {
  const { exitCode, stdout, stderr } = await cli([word, 'td.yaml']);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(`there is no command \`${word}\``);
  expect(stderr).toContain(wanted);
  expect(stderr).not.toContain('did you mean');
});

test.each(['version', '-v', '-V', '--version'])('`%s` prints the version', async (word) => {
  const { exitCode, stdout } = await cli([word]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+/) });
});

test.each(['ls', 'get', 'ps'])('`%s` is `list`', async (word) => {
  expect(await cli([word, '-o', 'json'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('"kind": "tdctl.TdList"'),
  });
});

test.each([
  ['describe', 'show'],
  ['status', 'show'],
  ['rm', 'delete'],
  ['destroy', 'kill'],
  ['down', 'stop'],
  ['suspend', 'pause'],
  ['attach', 'console'],
  ['log', 'logs'],
])('`%s` is `%s`', async (word, command) => {
  const { exitCode, stderr } = await cli([word, 'no-such-td']);
  expect(exitCode).toBe(3);
  expect({ stderr }).toEqual({ stderr: (await cli([command, 'no-such-td'])).stderr });
});

test('`diff` is `host diff`', async () => {
  const { stderr, exitCode } = await cli(['diff', 'a.json', 'b.json']);
  expect(exitCode).toBe(3);
  expect(stderr).toContain('a.json');
});

test.each([
  ['plann', 'plan'],
  ['rehears', 'rehearse'],
  ['foot', 'footprint'],
  ['kernel', 'kernels'],
])('%s is a slip of %s', async (word, command) => {
  expect((await cli([word])).stderr).toContain(`did you mean \`${command}\`?`);
});

test.each(['vm', 'x', 'constructor', 'fixture'])('`%s` is taken for nothing', async (word) => {
  const { exitCode, stderr } = await cli([word]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('`tdctl --help` lists the commands');
});

test('an unknown command is data where data was asked for', async () => {
  const { stderr } = await cli(['fixture', '-o', 'json']);
  expect(JSON.parse(stderr).error).toMatchObject({ code: 'TDCTL_E_USAGE', exitCode: 2 });
});

test.each([
  [['plan', 'td.yaml', '--json'], '-o json'],
  [['kernels', '--yaml'], '-o yaml'],
  [['plan', 'td.yaml', '--format=json'], '-o FORMAT'],
  [['graph', 'td-lifecycle', '--output', 'x.svg'], '-o FILE'],
  [['run', 'td.yaml', '--dry-run'], 'tdctl plan SPEC'],
  [['run', 'td.yaml', '--yes'], 'never asks'],
  [['run', '-f', 'td.yaml'], 'the file is an argument'],
  [['rehearse', '--file', 'td.yaml'], 'the file is an argument'],
  [['run', 'td.yaml', '-v'], '--log-level debug'],
  [['plan', 'td.yaml', '--version'], 'tdctl --version'],
  [['plan', 'td.yaml', '--vcpus', '8'], 'what its file says'],
  [['plan', 'td.yaml', '--no-color'], 'NO_COLOR'],
])('%j is answered with %s', async (args, wanted) => {
  const { exitCode, stderr } = await cli(args);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(wanted);
  expect(stderr).not.toContain('Did you mean');
});
