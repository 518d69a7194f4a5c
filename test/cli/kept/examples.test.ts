/** What the help of the commands for kept TDs gives to type does what it says, one after the other on TDs that run. */
import { beforeEach, expect, test } from 'vitest';
import { cli } from '../../support/cli.ts';
import { keeping } from '../../support/kept.ts';

const { scratch, spec } = keeping();
const td = spec('td');
const hello = spec('hello', (text) =>
  text.replace('metadata:', 'metadata:\n  labels: {team: blue, run: nightly}'),
);

const commands = [
  ...['create', 'apply', 'list', 'show', 'start', 'pause', 'resume', 'stop', 'kill', 'delete'],
  ...['prune', 'logs', 'events', 'wait'],
];

/** Lines that are not run here, and why. */
const left: readonly (readonly [RegExp, string])[] = [
  [/--host soft/, 'it needs /dev/kvm'],
  [/console/, 'it waits for somebody'],
  [/--watch|--all -f/, 'it ends by Ctrl-C alone'],
  [/\$\(/, 'a shell expands it'],
];

async function examplesOf(command: string): Promise<readonly string[]> {
  const { stdout } = await cli(['help', command]);
  const [, block = ''] = /Examples:\n((?: +.*\n)*)/.exec(stdout) ?? [];
  return block
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}.*$/, ''))
    .filter((line) => line.startsWith('tdctl ') && !left.some(([form]) => form.test(line)));
}

const all = (await Promise.all(commands.map(examplesOf))).flat();

beforeEach(async () => {
  await cli(['resume', 'hello']);
  await cli(['create', hello, '--host', 'sim', '--start']);
});

test('there are some of each command', () => {
  for (const command of commands) {
    expect(all.some((line) => line.startsWith(`tdctl ${command}`))).toBe(true);
  }
});

test.each([...new Set(all)])('%s', async (line) => {
  if (/ (resume|start) /.test(line)) await cli(['pause', 'hello']);
  if (/ start /.test(line)) await cli(['stop', '--all', '--wait']);
  if (/--previous/.test(line)) {
    await cli(['stop', 'hello', '--wait']);
    await cli(['start', 'hello']);
  }
  const follows = / -f | logs -f/.test(line);
  const [command = ''] = line.split(' | ');
  const args = command
    .split(' ')
    .slice(1)
    .map((word) => (word === 'td.yaml' ? td : word));
  const isCreate = args[0] === 'create' || args[0] === 'apply';
  const typed = isCreate && !args.includes('--host') ? [...args, '--host', 'sim'] : args;
  const [{ exitCode, stderr }] = await Promise.all([
    cli(typed, { cwd: scratch }),
    follows || /--for over/.test(line) ? cli(['stop', '--all']) : undefined,
  ]);
  expect({ typed, exitCode, stderr }).toMatchObject({ typed, exitCode: 0 });
  if (isCreate) await cli(['delete', 'td', 'blue-2', '--force']);
});
