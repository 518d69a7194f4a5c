/** `-` is standard input for every input and standard output for every output; and what may be replaced is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtMain, projectRoot } from '../support/built.ts';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-streams-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const hello = join(projectRoot, 'examples/hello.yaml');
const onSim = ['--host', 'sim'];
const untilDone = ['--until', 'runnable'];

beforeAll(async () => {
  await cli(['host', 'capture', at('host.json')]);
  await cli(['plan', hello, ...onSim, '--save', at('td.plan')]);
  const jsonl = (await cli(['run', hello, ...onSim, ...untilDone, '-o', 'json'])).stdout;
  writeFileSync(at('run.jsonl'), jsonl);
  writeFileSync(
    at('rehearsal.yaml'),
    readFileSync('examples/rehearsals/upgrade.yaml', 'utf8').replaceAll(
      /spec: \.\.\//g,
      `spec: ${projectRoot}/examples/`,
    ),
  );
});

/** In the directory of the examples, so that paths in what is read lead somewhere. */
function piped(args: readonly string[], input: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [builtMain(), ...args], {
    cwd: join(projectRoot, 'examples'),
    input: readFileSync(input),
    encoding: 'utf8',
  });
  return { exitCode: status, stdout, stderr };
}

describe('an input on standard input is as good as its file', () => {
  const inputs: readonly (readonly [file: () => string, args: readonly string[]])[] = [
    [() => hello, ['plan', '-', ...onSim, '-o', 'json']],
    [() => hello, ['run', '-', ...onSim, ...untilDone]],
    [() => hello, ['rehearse', '-', '--hops', '0', '-o', 'junit']],
    [() => hello, ['fit', '-', '--hosts', 'sim:spr-1.5', '-o', 'json']],
    [() => at('rehearsal.yaml'), ['rehearse', '-', '-o', 'junit']],
    [() => at('td.plan'), ['run', '--plan', '-', ...untilDone]],
    [() => 'examples/firmware/hello.fd', ['measure', '-', '-o', 'json']],
    [() => 'examples/fleets/mixed.yaml', ['footprint', '--fleet', '-', '-o', 'json']],
    [() => at('host.json'), ['host', 'diff', '-', at('host.json'), '-o', 'json']],
    [() => at('host.json'), ['doctor', '--root', '-', '-o', 'json']],
    [() => at('host.json'), ['fit', hello, '--hosts', '-', '-o', 'json']],
    [() => at('run.jsonl'), ['graph', 'td-lifecycle', '--coverage', '-']],
  ];

  test.each(inputs)('%#: %s tdctl %s', async (file, args) => {
    const path = join(file().startsWith('/') ? '' : projectRoot, file());
    const fromFile = await cli(args.map((arg) => (arg === '-' ? path : arg)));
    const { exitCode, stderr } = piped(args, path);
    expect({ exitCode, stderr }).toEqual({
      exitCode: fromFile.exitCode,
      stderr: expect.anything(),
    });
    expect(stderr).not.toContain('TDCTL_E_');
  });

  test('a mistake in it is placed in standard input', () => {
    writeFileSync(at('bad.yaml'), readFileSync(hello, 'utf8').replace('vcpus: 4', 'vcpus: four'));
    const { exitCode, stderr } = piped(['plan', '-', ...onSim], at('bad.yaml'));
    expect(exitCode).toBe(5);
    expect(stderr).toMatch(/standard input:\d+:\d+: spec\.vcpus/);
  });
});

describe('an output on standard output has it for itself', () => {
  const run = ['run', hello, ...onSim, ...untilDone];
  test.each([
    [[...run, '--trace', '-'], /^# tdctl trace/, '# end'],
    [[...run, '--log-file', '-'], /^\{"level"/, '}'],
    [['rehearse', hello, '--hops', '0', '--html', '-'], /^<!doctype html>/, '</html>'],
    [['plan', hello, ...onSim, '--save', '-'], /^\{\n {2}"kind": "tdctl\.io\/plan"/, '}'],
    [['footprint', '--vcpus', '4', '--chart', '-'], /^<svg|^<\?xml/, '</svg>'],
    [['graph', 'td-lifecycle', '--format', 'svg', '-o', '-'], /^<svg|^<\?xml/, '</svg>'],
    [['graph', 'td-lifecycle', '-o', '-'], /^td-lifecycle/, ''],
    [['init', '-'], /^#/, ''],
    [['host', 'capture', '-'], /"kind": "tdctl\.HostCapture"/, '}'],
  ])('tdctl %j', (args, begins, ends) => {
    const { exitCode, stdout } = piped(args, hello);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(begins);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain(ends);
  });
});

test.each([
  [['host', 'diff', '-', '-']],
  [['fit', '-', ...['--hosts', '-']]],
  [['run', hello, ...onSim, '--trace', '-', '--log-file', '-']],
  [['run', '-', '--plan', '-']],
  [['exec', '--trace', '-', '--', 'true']],
  [['plan', '-', ...onSim, '--save', at('never.plan')]],
])('what cannot be told apart is exit 2: tdctl %j', async (args) => {
  const { exitCode, stdout } = await cli(args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
});

describe('of an output that is there already', () => {
  const made: readonly (readonly [string, (path: string) => readonly string[], boolean])[] = [
    ['a picture', (path) => ['graph', 'td-lifecycle', '--format', 'dot', '-o', path], false],
    ['a chart', (path) => ['footprint', '--vcpus', '4', '--chart', path], false],
    ['a report', (path) => ['rehearse', hello, '--hops', '0', '--html', path], false],
    ['a trace', (path) => ['run', hello, ...onSim, ...untilDone, '--trace', path], false],
    ['a TrustDomain file', (path) => ['init', path], true],
    ['a saved plan', (path) => ['plan', hello, ...onSim, '--save', path], true],
    ['a capture', (path) => ['host', 'capture', path], true],
  ];

  test.each(made)('%s', async (_, args, isKept) => {
    const path = at('there');
    const before = 'what was there\n';
    writeFileSync(path, before);
    const { exitCode, stderr } = await cli(args(path));
    expect(exitCode).toBe(isKept ? 4 : 0);
    expect(readFileSync(path, 'utf8') === before).toBe(isKept);
    if (!isKept) return;
    expect(stderr).toContain('[TDCTL_E_EXISTS]');
    expect(stderr).toContain('--force');
    const forced = await cli([...args(path), '--force']);
    expect(forced.exitCode).toBe(0);
    expect(readFileSync(path, 'utf8')).not.toBe(before);
  });

  test('a log goes after it', async () => {
    const log = at('log');
    writeFileSync(log, 'what was there\n');
    await cli(['run', hello, ...onSim, ...untilDone, '--log-file', log]);
    expect(readFileSync(log, 'utf8')).toMatch(/^what was there\n\{/);
  });
});

test('a pipeline carries a whole trace', () => {
  const line = `${process.execPath} ${builtMain()} run ${hello} --host sim --until runnable --trace - | ${process.execPath} ${builtMain()} trace lint - -o json`;
  const report = JSON.parse(
    execFileSync('bash', ['-o', 'pipefail', '-c', line], { encoding: 'utf8' }),
  );
  expect(report.file).toBe('standard input');
});
