/**
 * What every command prints as data is a document of the contract, and nothing besides. A command that is not in the
 * table fails the test, so a new one says what its documents are, or why it has none.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { z } from 'zod';
import { loadAddon } from '../../../../native/index.ts';
import { contracts, type DocumentKind } from '../../../../src/cli/output/contract/index.ts';
import { program } from '../../../../src/cli/program.ts';
import { captureOf } from '../../../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../../../diagnosis/doctor/host-tree.ts';
import { cli, terminal } from '../../../support/cli.ts';
import { projectRoot, tdctl } from '../../../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-contract-'));
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await cli(['kill', '--all', '--wait']);
});
const at = (name: string) => join(scratch, name);
const example = (name: string) => join(projectRoot, 'examples', name);
const fixture = (name: string) => join(projectRoot, 'test/fixtures', name);

const hello = example('hello.yaml');
const firmware = example('firmware/hello.fd');
const sim = ['--host', 'sim'];
const moves = ['--kernel', 'rfc-migration-v2'];

beforeAll(async () => {
  const tdWith = (name: string, spec: object) =>
    writeFileSync(
      at(name),
      JSON.stringify({
        apiVersion: 'tdctl.io/v1alpha1',
        kind: 'TrustDomain',
        metadata: { name: 'td' },
        spec: { vcpus: 1, memory: '64MiB', firmware: { path: firmware }, ...spec },
      }),
    );
  tdWith('many-vcpus.yaml', { vcpus: 300 });
  tdWith('large.yaml', { memory: '65GiB' });
  for (const name of ['healthy', 'vendor-kernel-6.8', 'no-free-slot']) {
    const tree = hostTree(name);
    const capture = captureOf(await readFacts(tree), { tdctl: '0' });
    rmSync(tree, { recursive: true });
    writeFileSync(at(`${name}.json`), JSON.stringify(capture));
  }
  writeFileSync(at('junk.json'), 'junk');
  writeFileSync(at('matrix.yaml'), matrix);
  await cli(['run', hello, ...sim, '--until', 'runnable', '--trace', at('td.trace')]);
  await cli(['host', 'start', 'stays']);
  await cli(['create', hello, ...sim, '--name', 'day', '--start']);
  await cli(['create', hello, ...sim, '--name', 'night', '--start']);
  await cli(['create', hello, ...sim, '--name', 'storm', '--fault', 'KVM_TDX_INIT_VM=EBUSY']);
  await cli(['stop', 'night', '--wait']);
  await cli(['create', hello, ...sim, '--name', 'away', '--kernel', 'rfc-migration-v2']);
});
afterAll(() => cli(['host', 'stop', 'stays', '--now']));

const matrix = `apiVersion: tdctl.io/v1alpha1
kind: Rehearsal
metadata: {name: matrix}
spec:
  kernels: [upstream-7.3, rfc-migration-v2]
  tds: [{name: td, spec: ${hello}}]
  operations: [{provision: td}, {migrate: td}, {stop: td}]
`;

type Args = readonly string[];
type Rows = Readonly<
  Record<string, Readonly<Record<string, readonly [DocumentKind, Args]>> | string>
>;

/** By command: what is asked, and what it prints; or why there is nothing of the kind. */
const rows: Rows = {
  create: { 'one that is there': ['tdctl.Td', ['create', hello, ...sim, '--name', 'day']] },
  apply: { 'one that is there': ['tdctl.Td', ['apply', hello, ...sim, '--name', 'day']] },
  start: { 'one that runs': ['tdctl.TdActions', ['start', 'day']] },
  pause: { 'one that is over': ['tdctl.TdActions', ['pause', 'night', 'none']] },
  resume: { 'one that runs': ['tdctl.TdActions', ['resume', 'day']] },
  stop: { 'one that is over': ['tdctl.TdActions', ['stop', 'night', '--wait']] },
  migrate: { 'one that has not run yet': ['tdctl.TdMove', ['migrate', 'away']] },
  kill: { 'one that is over': ['tdctl.TdActions', ['kill', 'night']] },
  delete: { 'one that lives': ['tdctl.TdActions', ['delete', 'day']] },
  list: {
    'all that there are': ['tdctl.TdList', ['list']],
    'their keepers asked': ['tdctl.TdList', ['list', '--ask']],
  },
  show: {
    'one that lives': ['tdctl.Td', ['show', 'day']],
    'one that failed': ['tdctl.Td', ['show', 'storm']],
  },
  logs: 'it prints what the guest has printed, as it is',
  console: 'it passes the bytes of the guest',
  events: {
    'a life': ['tdctl.TdEvent', ['events', 'night']],
    'a failure': ['tdctl.TdEvent', ['events', 'storm']],
  },
  wait: { 'one that is over': ['tdctl.TdActions', ['wait', 'night', '--for', 'over']] },
  prune: { 'a dry run': ['tdctl.TdActions', ['prune', '--dry-run']] },
  plan: {
    'a plan': ['tdctl.Plan', ['plan', hello, ...sim]],
    'findings and warnings': ['tdctl.Plan', ['plan', at('many-vcpus.yaml'), ...sim]],
    'a warning': ['tdctl.Plan', ['plan', at('large.yaml'), ...sim]],
  },
  fit: {
    'profiles, a source': [
      'tdctl.Fit',
      ['fit', hello, '--hosts', 'sim:spr-1.5', 'sim:gnr-2.0', '--from', 'sim:spr-1.5'],
    ],
    'a capture, junk, a number': [
      'tdctl.Fit',
      ['fit', hello, '--hosts', at('healthy.json'), at('junk.json'), '--count', '2'],
    ],
    'none can': ['tdctl.Fit', ['fit', at('many-vcpus.yaml'), '--hosts', 'sim:spr-1.5']],
  },
  footprint: {
    'one VM, a host': [
      'tdctl.Footprint',
      ['footprint', '--vcpus', '2', '--max-vcpus', 'unbounded', '--host-memory', '1TiB'],
    ],
    'a fleet': ['tdctl.Footprint', ['footprint', '--fleet', example('fleets/mixed.yaml')]],
  },
  run: {
    'a life': ['tdctl.Run', ['run', hello, ...sim, '--until', 'runnable']],
    'a refusal': [
      'tdctl.Run',
      ['run', hello, ...sim, '--until', 'runnable', '--fault', 'KVM_TDX_INIT_VM=EBUSY'],
    ],
    'a module that refuses': [
      'tdctl.Run',
      [
        ...['run', hello, ...sim, '--until', 'runnable'],
        ...['--fault', 'TDH.MNG.KEY.CONFIG=TDX_KEY_GENERATION_FAILED'],
      ],
    ],
  },
  rehearse: {
    'a move, a fault, proofs': [
      'tdctl.Rehearsal',
      ['rehearse', hello, ...moves, '--faults', 'random', '--seed', '1', '--runs', '3'],
    ],
    'no move': [
      'tdctl.Rehearsal',
      ['rehearse', hello, '--hops', '0', '--fault', 'KVM_CREATE_VCPU=ENOMEM'],
    ],
    'kernels compared': [
      'tdctl.KernelComparison',
      ['rehearse', hello, '--compare', 'upstream-7.3,rfc-migration-v2'],
    ],
    'a matrix': ['tdctl.RehearsalMatrix', ['rehearse', at('matrix.yaml')]],
  },
  doctor: {
    'a host': ['tdctl.Doctor', ['doctor', '--root', at('healthy.json')]],
    'this machine': ['tdctl.Doctor', ['doctor']],
    'a check': ['tdctl.DoctorCheck', ['doctor', '--explain', 'cpu.vendor']],
  },
  explain: {
    'a refusal': ['tdctl.Explanation', ['explain', 'ENOSPC', 'KVM_TDX_INIT_VM']],
    'a status': ['tdctl.Explanation', ['explain', '0x8000020000000080']],
    'a name of a status': ['tdctl.Explanation', ['explain', 'TDX_OPERAND_BUSY']],
    'a line': ['tdctl.Explanation', ['explain', 'virt/tdx: module initialization failed (-28)']],
    'a check': ['tdctl.Explanation', ['explain', 'init-vm.no-key-slot']],
    'all answers': ['tdctl.Answers', ['explain', '--list']],
  },
  host: {
    'a host': ['tdctl.Host', ['host', ...sim]],
    room: ['tdctl.Host', ['host', ...sim, '--room', hello]],
    'no limit by CPUs': ['tdctl.Host', ['host', ...sim, '--kernel', 'series-v9']],
  },
  'host diff': {
    'two hosts': [
      'tdctl.HostDiff',
      ['host', 'diff', at('healthy.json'), at('vendor-kernel-6.8.json')],
    ],
  },
  'host list': {
    'a host that stays': ['tdctl.SharedHosts', ['host', 'list']],
  },
  'host show': {
    'a host that stays': ['tdctl.SharedHost', ['host', 'show', 'stays']],
  },
  'host start': 'it prints the name',
  'host stop': 'it prints nothing',
  'host fault': 'it prints nothing',
  'host trace': 'it prints a trace, whose JSON is that of docs/exec-trace.md',
  'host capture': 'a capture is an input of other commands, with a format and versions of its own',
  graph: 'pictures and their sources: the forms with the ending .json are those of other programs',
  watch: 'it prints text; what its page is told is in docs/watch.md',
  exec: 'its summary goes into a file, and is below',
  'trace lint': {
    'a trace of tdctl': ['tdctl.TraceLint', ['trace', 'lint', at('td.trace')]],
    'of strace': ['tdctl.TraceLint', ['trace', 'lint', fixture('traces/plain-vm.strace')]],
    'of QEMU': ['tdctl.TraceLint', ['trace', 'lint', fixture('traces/qemu-11.1-tdx.trace')]],
    'an earlier kernel': [
      'tdctl.TraceLint',
      ['trace', 'lint', at('td.trace'), '--kernel', 'series-v9'],
    ],
  },
  kernels: {
    all: ['tdctl.Kernels', ['kernels']],
    one: ['tdctl.Kernels', ['kernels', 'rfc-migration-v2']],
  },
  measure: {
    'an image': ['tdctl.Measurement', ['measure', firmware]],
  },
  import: {
    'a domain of libvirt': [
      'tdctl.Import',
      ['import', 'test/fixtures/definitions/libvirt-pflash.xml'],
    ],
  },
  init: 'it writes a TrustDomain file',
  completion: 'it prints a script for a shell',
  man: 'it prints a page for man',
};

/** `host`, `host diff`: all that do something of their own. */
function namesBelow(command: CommandUnknownOpts, path = ''): string[] {
  return command.commands.flatMap((sub) => {
    const name = `${path} ${sub.name()}`.trim();
    const below = namesBelow(sub as CommandUnknownOpts, name);
    return onlyDispatches.includes(name) ? below : [name, ...below];
  });
}
const onlyDispatches: readonly string[] = ['trace'];

test('every command is in the table', async () => {
  const root = (await program(terminal().io, () => undefined)) as CommandUnknownOpts;
  expect(Object.keys(rows).sort()).toEqual(namesBelow(root).sort());
});

const cases = Object.entries(rows).flatMap(([command, row]) =>
  typeof row === 'string'
    ? []
    : Object.entries(row).map(([name, [kind, args]]) => ({ command, name, kind, args })),
);

function check(kind: DocumentKind, value: unknown): void {
  const schema: z.ZodType = contracts[kind];
  const { error: found } = schema.safeParse(value);
  expect(found?.issues ?? [], JSON.stringify(value).slice(0, 400)).toEqual([]);
}

const isStream = (kind: DocumentKind) => kind === 'tdctl.Run' || kind === 'tdctl.TdEvent';

describe.each(cases)('tdctl $command: $name', ({ kind, args }) => {
  test('as JSON is what the contract says, kind and version first', async () => {
    const { stdout, stderr } = await cli([...args, '-o', 'json']);
    const values = isStream(kind) ? stdout.trim().split('\n') : [stdout];
    expect(values[0], stderr).not.toBe('');
    const [first, ...rest] = values.map((text) => JSON.parse(text));
    expect(Object.entries(first).slice(0, 2)).toEqual([
      ['kind', kind],
      ['version', 1],
    ]);
    // Of a run the first line says what all are; each event of kept TDs is a document.
    for (const value of [first, ...rest]) check(kind, value);
    for (const line of stderr.trim().split('\n')) {
      if (line.startsWith('{')) check('tdctl.Error', JSON.parse(line));
    }
  });
});

const quick = cases.filter(({ kind }) => ['tdctl.Fit', 'tdctl.Host', 'tdctl.Plan'].includes(kind));

test.each(quick)('tdctl $command: $name is the same as YAML', async ({ args }) => {
  const json = JSON.parse((await cli([...args, '-o', 'json'])).stdout);
  expect(parse((await cli([...args, '-o', 'yaml'])).stdout)).toEqual(json);
});

test.each([
  ['of the command', ['plan', at('none.yaml')]],
  ['of its options', ['plan', hello, '--nothing']],
  ['of a file', ['plan', at('junk.json')]],
])('an error %s is a document', async (_, args) => {
  const { stderr } = await cli([...args, '-o', 'json']);
  const value = JSON.parse(stderr);
  expect(Object.keys(value)).toEqual(['kind', 'version', 'error']);
  check('tdctl.Error', value);
});

test.skipIf(!loadAddon().available)('the summary of tdctl exec is a document', async () => {
  const file = at('summary.json');
  const { exitCode, stderr } = await tdctl(['exec', '--summary', file, '--', 'true']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  check('tdctl.ExecSummary', JSON.parse(readFileSync(file, 'utf8')));
});
