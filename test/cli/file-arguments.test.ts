/** No command destroys what it reads. What names a file says so where it is declared. */

import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isDeclared } from '../../src/cli/file-arguments.ts';
import { program } from '../../src/cli/program.ts';
import { cli, terminal } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

let directory: string;
const at = (name: string) => join(directory, name);
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-arguments-'));
  copyFileSync(join(projectRoot, 'examples/hello.yaml'), at('td.yaml'));
  cpSync(join(projectRoot, 'examples/firmware'), at('firmware'), { recursive: true });
  symlinkSync('td.yaml', at('link.yaml'));
  linkSync(at('td.yaml'), at('hard.yaml'));
  writeFileSync(at('script.yaml'), 'kind: RunScript\n');
  writeFileSync(at('host.yaml'), 'kind: SimulatedHost\n');
  const rehearsal = readFileSync(join(projectRoot, 'examples/rehearsals/upgrade.yaml'), 'utf8');
  writeFileSync(at('rehearsal.yaml'), rehearsal.replaceAll('../hello.yaml', 'td.yaml'));
  writeFileSync(at('fleet.yaml'), 'kind: Fleet\n');
  await cli(['plan', at('td.yaml'), '--host', 'sim', '--save', at('td.plan')]);
});
afterAll(() => rmSync(directory, { recursive: true }));

const run = ['run', 'td.yaml', '--host', 'sim', '--until', 'runnable'];
const exec = ['exec', '--host', 'sim:host.yaml', '--run', 'script.yaml'];
const asPlanned = ['run', '--plan', 'td.plan', '--until', 'runnable'];

/** A command line, and the file that it would destroy. */
const cases: readonly (readonly [args: readonly string[], victim: string])[] = [
  [[...run, '--trace', 'td.yaml'], 'td.yaml'],
  [[...run, '--trace', 'link.yaml'], 'td.yaml'],
  [[...run, '--trace', 'hard.yaml'], 'td.yaml'],
  [[...run, '--log-file', 'td.yaml'], 'td.yaml'],
  [[...run, '--trace', 'firmware/hello.fd'], 'firmware/hello.fd'],
  [[...asPlanned, '--trace', 'td.plan'], 'td.plan'],
  [[...asPlanned, '--trace', 'td.yaml'], 'td.yaml'],
  [['run', 'td.yaml', '--host', 'sim:host.yaml', '--trace', 'host.yaml'], 'host.yaml'],
  [['rehearse', 'td.yaml', '--html', 'td.yaml'], 'td.yaml'],
  [['rehearse', 'td.yaml', '--html', 'firmware/hello.fd'], 'firmware/hello.fd'],
  [['rehearse', 'rehearsal.yaml', '--html', 'td.yaml'], 'td.yaml'],
  [['rehearse', 'rehearsal.yaml', '--html', 'rehearsal.yaml'], 'rehearsal.yaml'],
  [['plan', 'td.yaml', '--host', 'sim', '--save', 'td.yaml'], 'td.yaml'],
  [['plan', 'td.yaml', '--host', 'sim', '--save', 'firmware/hello.fd'], 'firmware/hello.fd'],
  [['graph', 'td-lifecycle', '--coverage', 'td.plan', '-o', 'td.plan'], 'td.plan'],
  [['graph', 'td-lifecycle', '--paths', '--coverage', 'td.plan', '-o', 'td.plan'], 'td.plan'],
  [['footprint', '--fleet', 'fleet.yaml', '--chart', 'fleet.yaml'], 'fleet.yaml'],
  [['init', 'td.yaml', '--firmware', 'td.yaml'], 'td.yaml'],
  [[...exec, '--trace', 'script.yaml', '--', 'true'], 'script.yaml'],
  [[...exec, '--summary', 'script.yaml', '--', 'true'], 'script.yaml'],
  [[...exec, '--summary', 'host.yaml', '--', 'true'], 'host.yaml'],
  [['exec', '--trace', 'script.yaml', '--', './script.yaml'], 'script.yaml'],
];

/** The same words with the paths of the directory, also after `sim:`. */
const placed = (args: readonly string[]) =>
  args.map((word) =>
    word.replace(/^(sim:)?(?:\.\/)?(?=[\w/]+\.(?:yaml|plan|fd)$)/, `$1${directory}/`),
  );

describe('an output that is an input is refused before anything is written', () => {
  test.each(cases)('%j', async (args, victim) => {
    const before = readFileSync(at(victim));
    const { exitCode, stderr } = await cli(placed(args));
    expect(stderr).toMatch(/is read as well \(.+\), and writing would destroy it/);
    expect(exitCode).toBe(2);
    expect(readFileSync(at(victim))).toEqual(before);
  });
});

describe('two outputs into one file are refused before anything is written', () => {
  test.each([
    [[...run, '--trace', 'new.yaml', '--log-file', 'new.yaml']],
    [['exec', '--trace', 'new.yaml', '--summary', 'new.yaml', '--', 'true']],
  ])('%j', async (args) => {
    const { exitCode, stderr } = await cli(placed(args));
    expect(stderr).toMatch(/is written as well \(.+\), and one of the two would be lost/);
    expect(exitCode).toBe(2);
    expect(() => readFileSync(at('new.yaml'))).toThrow('ENOENT');
  });

  test('but devices may be written twice', async () => {
    const args = [...run, '--trace', '/dev/null', '--log-file', '/dev/null'];
    expect(await cli(placed(args))).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

test('every option and argument that may be a file is declared as one', async () => {
  const commands = (command: CommandUnknownOpts): CommandUnknownOpts[] => [
    command,
    ...command.commands.flatMap(commands),
  ];
  const named = commands(await program(terminal().io, () => undefined)).flatMap((command) => [
    ...command.registeredArguments.map((declared) => ({
      declared,
      text: `${command.name()} <${declared.name()}>`,
    })),
    ...command.options.map((declared) => ({
      declared,
      text: `${command.name()} ${declared.flags}`,
    })),
  ]);
  const mayBeFile = /<(?:file|path|script|spec|firmware|a|b|dir)(?:\.\.\.)?>$|--host <|<FILE>/;
  const undeclared = named.filter(
    ({ text, declared }) => mayBeFile.test(text) && !isDeclared(declared),
  );
  expect(named.filter(({ declared }) => isDeclared(declared)).length).toBeGreaterThan(25);
  // The host of a command that writes no file, and a socket that replaces no file.
  expect(undeclared.map(({ text }) => text).sort()).toEqual([
    'lint --host <host>',
    'watch --socket <path>',
  ]);
});
