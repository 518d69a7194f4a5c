/** `tdctl rehearse --processes`: the same files come to the same with keepers that are processes, whoever dies. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { interrupt } from '../../src/cli/interrupts.ts';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { until } from '../support/processes.ts';
import { stateBase } from '../support/state-base.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(stateBase, 'tdp-'));
const { TMPDIR: before } = process.env;
const isFull = process.env.TDCTL_SWEEP === 'full';

beforeAll(() => {
  builtMain();
  process.env.TMPDIR = scratch;
});
afterAll(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  // What is left of a run would be here.
  expect(readdirSync(scratch).filter((name) => name.startsWith('tdctl-'))).toEqual([]);
  rmSync(scratch, { recursive: true });
});

const example = (name: string) => join(projectRoot, 'examples/rehearsals', name);
const hello = join(projectRoot, 'examples/hello.yaml');
const moving = ['--kernel', 'rfc-migration-v2'];

async function rehearsed(args: readonly string[]) {
  const { exitCode, stdout, stderr } = await cli(['rehearse', ...args, '-o', 'json']);
  return { exitCode, stderr, ...JSON.parse(stdout) };
}

const untimed = ({ startMs: _s, endMs: _e, ...result }: Readonly<Record<string, unknown>>) =>
  result;

/** The example with one TD in place of twenty. */
function smallFleet(): string {
  const text = readFileSync(example('fleet.yaml'), 'utf8')
    .replace('count: 20', 'count: 1')
    .replaceAll('../hello.yaml', hello)
    .replace('peakSlots: 20', 'peakSlots: 1')
    .replace('peakSlots: 40', 'peakSlots: 2')
    .replace('keySlotsLost: 20', 'keySlotsLost: 1');
  const path = join(scratch, 'fleet.yaml');
  writeFileSync(path, text);
  return path;
}

describe('the examples come to what they come to in one process', () => {
  const files: readonly (readonly [string, () => readonly string[]])[] = [
    ['upgrade', () => [example('upgrade.yaml')]],
    ['full-cgroup', () => [example('full-cgroup.yaml')]],
    ['fleet of one', () => [smallFleet(), '--kernel', 'series-v9']],
    ...(isFull
      ? ([
          ['fleet of one under every kernel', () => [smallFleet()]],
          ['fleet', () => [example('fleet.yaml')]],
        ] as const)
      : []),
  ];
  test.each(files)('%s', async (_, args) => {
    const one = await rehearsed(args());
    const many = await rehearsed([...args(), '--processes']);
    expect(many.exitCode).toBe(one.exitCode);
    const judged = ({ run, notAsAsked, kernels }: typeof one) => ({
      kernels: kernels?.map(({ exitCode }: { exitCode: number }) => exitCode),
      notAsAsked,
      ...(run && {
        results: run.results.map(untimed),
        peak: run.keySlotUse.peak,
        losses: run.losses,
        violations: run.violations,
        moves: run.blackouts.map(({ td, hop }: { td: string; hop: number }) => [td, hop]),
      }),
    });
    expect(judged(many)).toEqual(judged(one));
  });
});

/** TDs a to d, each moved once. */
function movedTds(): string {
  const path = join(scratch, 'moved.yaml');
  const names = ['a', 'b', 'c', 'd'];
  const each = (verb: string) => names.map((name) => `    - ${verb}: ${name}`).join('\n');
  writeFileSync(
    path,
    `apiVersion: tdctl.io/v1alpha1
kind: Rehearsal
metadata: { name: moved }
spec:
  kernel: rfc-migration-v2
  strict: false
  tds: [${names.map((name) => `{ name: ${name}, spec: ${JSON.stringify(hello)} }`).join(', ')}]
  operations:
${each('provision')}
${each('migrate')}
${each('stop')}
`,
  );
  return path;
}

test('a TD goes with the process that has it, and with no other one', async () => {
  const faults = [
    // Before the move, after it, and the command that waits for it.
    'RECORD:a/2#9=destination-dies',
    'RECORD:b/2#40=source-dies',
    'RECORD:c/2#40=destination-dies',
    'RECORD:d/2#12=command-dies',
  ];
  const { run, exitCode } = await rehearsed([
    ...[movedTds(), '--processes'],
    ...faults.flatMap((fault) => ['--fault', fault]),
  ]);
  expect(run.violations).toEqual([]);
  expect(run.unmet).toEqual([]);
  expect(exitCode).toBe(0);
  const moves = run.results.filter(({ operation }: { operation: string }) =>
    operation.startsWith('migrate'),
  );
  expect(moves.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
    ...['sourceKept', 'completed', 'lost', 'completed'],
  ]);
  expect(run.losses).toEqual([
    { what: 'TD', count: 1, by: 'owner', words: 'died with its process' },
  ]);
});

test('a host that dies takes all TDs along, and every run still ends', async () => {
  const { run } = await rehearsed([
    ...[hello, ...moving, '--processes', '--fault', 'RECORD:hello/2#20=host-dies'],
  ]);
  expect(run.violations).toEqual([]);
  expect(run.losses).toMatchObject([{ count: 1, words: 'died with the process of their host' }]);
});

test('a sweep kills whoever it can at the records that there are, and says how many', async () => {
  const which = isFull ? ['each'] : ['random', '--runs', '1', '--seed', '5'];
  const { sweep, run } = await rehearsed([
    ...[hello, ...moving, '--processes', '--faults', ...which],
  ]);
  expect(run.violations).toEqual([]);
  expect(sweep).toMatchObject({ violationCount: 0, violations: [], cut: false });
  expect(sweep.played).toBeGreaterThan(0);
  expect(sweep.cases).toBeGreaterThanOrEqual(sweep.played);
});

test('Ctrl-C ends it with all its processes and files', async () => {
  const ended = cli(['rehearse', hello, ...moving, '--processes']);
  await until(() => readdirSync(scratch).some((name) => name.startsWith('tdctl-rehearsal-')));
  interrupt('SIGINT');
  expect((await ended).exitCode).toBe(130);
  expect(readdirSync(scratch).filter((name) => name.startsWith('tdctl-'))).toEqual([]);
});

test.each([
  [['--host', 'soft'], 'simulated as a whole'],
  [['--proofs'], 'the proofs reach between the steps'],
  [['--destination-vcpus', '2'], 'as many vCPUs at both'],
  [['--faults', 'pairs'], 'more runs than anybody waits for'],
  [['--compare', 'all'], 'cannot be used with'],
  [['--fault', 'KVM_ENABLE_CAP#6=source-dies'], 'as a record of a journal is written'],
  [['--fault', 'RECORD:db#6=source-dies'], 'the rehearsal has no TD db'],
])('%j makes no sense with processes', async (options, words) => {
  const { exitCode, stderr } = await cli(['rehearse', hello, ...moving, '--processes', ...options]);
  expect(stderr).toContain(words);
  expect(exitCode).toBe(2);
});

test('a record is named only where keepers write any', async () => {
  const { exitCode, stderr } = await cli([
    'rehearse',
    hello,
    ...moving,
    '--fault',
    'RECORD=host-dies',
  ]);
  expect(stderr).toContain('add --processes');
  expect(exitCode).toBe(2);
});
