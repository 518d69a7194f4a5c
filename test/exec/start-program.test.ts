/** The way for a keeper to have a VMM on a shared host: a program that outlives whoever has started it. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startOnSharedHost } from '../../src/keeper/hosts/start-program.ts';
import { hasEnded } from '../support/processes.ts';
import { program, requireSupervision } from './programs.ts';
import { sharedHost } from './shared-host.ts';

test('a program gets the fds, the directory and the environment that it is given, and tells its end', async (context) => {
  const holds = program(context, 'holds-slot');
  const lab = await sharedHost();
  const [input, output] = [join(lab.directory, 'input'), join(lab.directory, 'output')];
  writeFileSync(input, 'from the fourth\n');
  const fds = [openSync('/dev/null', 'r'), openSync(output, 'w'), 2, openSync(input, 'r')];
  const script =
    'cat <&3; pwd; echo $OF_THE_KEEPER; "$0"; echo $?; until [ -e go ]; do sleep 0.01; done; exit 9';
  const started = await startOnSharedHost(lab.name, {
    command: ['sh', '-c', script, holds],
    env: { ...process.env, OF_THE_KEEPER: 'yes' },
    cwd: lab.directory,
    fds,
  });
  const { programs } = await lab.show();
  expect(programs.map(({ pid }) => pid)).toEqual([started.pid]);
  writeFileSync(join(lab.directory, 'go'), '');
  expect(await started.exited).toEqual({ exitCode: 9 });
  expect(readFileSync(output, 'utf8')).toBe(`from the fourth\n${lab.directory}\nyes\nholds\n0\n`);
  expect(hasEnded(started.pid)).toBe(true);
  for (const fd of fds) if (fd > 2) closeSync(fd);
});

test('one that cannot be started says why, as a command of a person does', async (context) => {
  requireSupervision(context);
  const lab = await sharedHost();
  const start = (name: string, command: readonly string[]) =>
    startOnSharedHost(name, { command, env: process.env, fds: [] });
  await expect(start(lab.name, ['/nowhere/vmm'])).rejects.toMatchObject({
    code: 'TDCTL_E_COMMAND_NOT_FOUND',
  });
  await expect(start('nowhere', ['true'])).rejects.toMatchObject({ code: 'TDCTL_E_NOT_FOUND' });
});
