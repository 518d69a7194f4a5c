/** A file of another kind is told by its name, with the command that takes it; and that command does take it. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-kinds-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const at = (name: string) => join(scratch, name);
const hello = 'examples/hello.yaml';

const files = {
  'td.yaml': /a TrustDomain file/,
  'rehearsal.yaml': /a Rehearsal file/,
  'host.yaml': /a SimulatedHost file/,
  'fleet.yaml': /a Fleet file/,
  'script.yaml': /a RunScript file/,
  'capture.json': /the capture of a host/,
  'td.plan': /a saved plan/,
  'td.trace': /a trace/,
  'td.trace.jsonl': /a trace/,
  'run.jsonl': /a recorded run/,
} as const;
type Name = keyof typeof files;

beforeAll(async () => {
  copyFileSync(hello, at('td.yaml'));
  copyFileSync('examples/rehearsals/upgrade.yaml', at('rehearsal.yaml'));
  copyFileSync('examples/hosts/edge-box.yaml', at('host.yaml'));
  copyFileSync('examples/fleets/mixed.yaml', at('fleet.yaml'));
  copyFileSync('examples/exec/shutdown.yaml', at('script.yaml'));
  await cli(['host', 'capture', at('capture.json')]);
  await cli(['plan', hello, '--host', 'sim', '--save', at('td.plan')]);
  const run = ['run', hello, '--host', 'sim', '--until', 'runnable'];
  await cli([...run, '--trace', at('td.trace')]);
  await cli([...run, '--trace', at('td.trace.jsonl')]);
  writeFileSync(at('run.jsonl'), (await cli([...run, '-o', 'json'])).stdout);
});

/** Each reader, and what it takes. */
const readers: readonly (readonly [
  string,
  (path: string) => readonly string[],
  readonly Name[],
])[] = [
  ['plan', (path) => ['plan', path, '--host', 'sim'], ['td.yaml']],
  ['run', (path) => ['run', path, '--host', 'sim'], ['td.yaml']],
  ['run --plan', (path) => ['run', '--plan', path], ['td.plan']],
  ['rehearse', (path) => ['rehearse', path], ['td.yaml', 'rehearsal.yaml']],
  ['watch', (path) => ['watch', path, '--tree'], ['td.yaml', 'rehearsal.yaml']],
  ['fit', (path) => ['fit', path, '--hosts', 'sim:spr-1.5'], ['td.yaml']],
  ['fit --hosts', (path) => ['fit', hello, '--hosts', path], ['host.yaml', 'capture.json']],
  ['--host sim:', (path) => ['host', '--host', `sim:${path}`], ['host.yaml', 'capture.json']],
  ['footprint', (path) => ['footprint', '--fleet', path], ['fleet.yaml']],
  ['doctor', (path) => ['doctor', '--root', path], ['capture.json']],
  ['host diff', (path) => ['host', 'diff', path, path], ['capture.json']],
  ['measure', (path) => ['measure', path], []],
  ['trace lint', (path) => ['trace', 'lint', path], ['td.trace', 'td.trace.jsonl']],
  [
    'graph --coverage',
    (path) => ['graph', 'td-lifecycle', '--coverage', path],
    ['run.jsonl', 'td.trace', 'td.trace.jsonl'],
  ],
];

describe.each(readers)('%s', (_, args, taken) => {
  const others = (Object.keys(files) as Name[]).filter((name) => !taken.includes(name));

  test.each(others)('given %s names its kind and its command: exit 5', async (name) => {
    const { exitCode, stderr, stdout } = await cli(args(at(name)));
    const told = stderr + stdout;
    expect({ exitCode, told }).toEqual({ exitCode: 5, told: expect.stringMatching(files[name]) });
    expect(told).toContain('the command for it is: tdctl ');
  });
});

test('the command that is named takes the file', async () => {
  for (const name of Object.keys(files) as Name[]) {
    const { stderr } = await cli(['measure', at(name)]);
    const [, line = ''] = /the command for it is: tdctl (.*)/.exec(stderr) ?? [];
    // Another program would be started, and the TDs of the rehearsal are elsewhere.
    if (name === 'script.yaml' || name === 'rehearsal.yaml') continue;
    const untilDone = line.startsWith('run ') ? ['--until', 'runnable'] : [];
    const { exitCode } = await cli([...line.split(' '), ...untilDone]);
    expect({ line, wrong: exitCode === 2 || exitCode === 5 }).toEqual({ line, wrong: false });
  }
});
