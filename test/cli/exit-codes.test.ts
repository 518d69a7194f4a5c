/**
 * Every command keeps the exit codes of docs/errors.md: what was done as asked is 0, and each other end has its own.
 * A command that is not in the table fails the test, so a new one says how it ends.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { program } from '../../src/cli/program.ts';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { exitCodes } from '../../src/errors/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { cli, terminal } from '../support/cli.ts';
import { tdctl } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-exit-codes-'));
afterAll(async () => {
  rmSync(scratch, { recursive: true });
  await cli(['kill', '--all', '--wait']);
});
const at = (name: string) => join(scratch, name);
const example = (name: string) => join(projectRoot, 'examples', name);

const definition = (name: string) => join(projectRoot, 'test/fixtures/definitions', name);

const hello = example('hello.yaml');
const fleet = example('fleets/mixed.yaml');
const sim = ['--host', 'sim'];
const neverMet = ['--fault', 'KVM_CREATE_VCPU#99=ENOMEM'];
const watched = ['--tree', '--speed', 'max', '--until-end', '--hops', '0'];

type Args = readonly string[];
interface Row {
  /** It can be done again. */
  readonly done: Args;
  /** The command judged, and what it found, or never met, is not as it should be. */
  readonly found: readonly [Args, number] | 'judges nothing';
  /** What the command cannot do, or will not. */
  readonly refused: readonly [Args, number];
  /** The same with another file in the place of its first input. */
  readonly reads: ((file: string) => Args) | 'reads no file';
  /** A file of another kind than it takes. */
  readonly otherKind?: string;
  /** Its input may be a directory. */
  readonly takesDirectory?: true;
  /** It prints nothing as data, or cannot be done twice. */
  readonly printsOnce?: true;
  /** Only a process of its own can do it. */
  readonly needsProcess?: true;
  /** It is done, and may have nothing to say. */
  readonly maySayNothing?: true;
}

/** `day` is running, and `night` is over. */
const rows: Readonly<Record<string, Row>> = {
  create: {
    done: ['create', hello, ...sim, '--name', 'day'],
    found: 'judges nothing',
    refused: [['create', at('many-vcpus.yaml'), ...sim], exitCodes.limitReached],
    reads: (file) => ['create', file, ...sim],
  },
  apply: {
    done: ['apply', hello, ...sim, '--name', 'day'],
    found: 'judges nothing',
    refused: [['apply', hello, '--host', 'sim:gnr-2.0', '--name', 'day'], exitCodes.conflict],
    reads: (file) => ['apply', file, ...sim],
  },
  start: {
    done: ['start', 'day'],
    found: 'judges nothing',
    refused: [['start', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  pause: {
    done: ['pause', 'day'],
    found: 'judges nothing',
    refused: [['pause', 'night'], exitCodes.conflict],
    reads: 'reads no file',
  },
  resume: {
    done: ['resume', 'day'],
    found: 'judges nothing',
    refused: [['resume', 'night'], exitCodes.conflict],
    reads: 'reads no file',
  },
  stop: {
    done: ['stop', 'night', '--wait'],
    found: 'judges nothing',
    refused: [['stop', '../night'], exitCodes.usage],
    reads: 'reads no file',
  },
  migrate: {
    done: ['migrate', 'away'],
    found: 'judges nothing',
    refused: [['migrate', 'day'], exitCodes.hostUnsupported],
    reads: 'reads no file',
  },
  kill: {
    done: ['kill', 'night'],
    found: 'judges nothing',
    refused: [['kill', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  delete: {
    done: ['delete', '-l', 'of=nobody'],
    found: 'judges nothing',
    refused: [['delete', 'day'], exitCodes.conflict],
    reads: 'reads no file',
  },
  list: {
    done: ['list'],
    found: 'judges nothing',
    refused: [['list', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  show: {
    done: ['show', 'night'],
    found: 'judges nothing',
    refused: [['show', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  logs: {
    done: ['logs', 'day'],
    found: 'judges nothing',
    refused: [['logs', 'day', '--previous'], exitCodes.notFound],
    reads: 'reads no file',
    maySayNothing: true,
  },
  console: {
    // It would end with a guest, and on sim there is none: test/cli/kept/console.test.ts has one.
    done: ['console', '--help'],
    found: 'judges nothing',
    refused: [['console', 'night'], exitCodes.conflict],
    reads: 'reads no file',
  },
  events: {
    done: ['events', 'night'],
    found: 'judges nothing',
    refused: [['events', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  wait: {
    done: ['wait', 'night', '--for', 'over'],
    found: 'judges nothing',
    refused: [['wait', 'night', '--for', 'running'], exitCodes.failed],
    reads: 'reads no file',
  },
  prune: {
    done: ['prune', '--dry-run'],
    found: 'judges nothing',
    refused: [['prune', 'night'], exitCodes.usage],
    reads: 'reads no file',
  },
  plan: {
    done: ['plan', hello, ...sim],
    found: [['plan', at('measured.yaml'), ...sim], exitCodes.findings],
    refused: [['plan', at('many-vcpus.yaml'), ...sim], exitCodes.limitReached],
    reads: (file) => ['plan', file, ...sim],
  },
  fit: {
    done: ['fit', hello, '--hosts', 'sim:spr-1.5'],
    found: [['fit', at('many-vcpus.yaml'), '--hosts', 'sim:spr-1.5'], exitCodes.findings],
    refused: [['fit', hello, '--hosts', 'sim:none'], exitCodes.usage],
    reads: (file) => ['fit', file, '--hosts', 'sim:spr-1.5'],
  },
  footprint: {
    done: ['footprint', '--vcpus', '4'],
    found: 'judges nothing',
    refused: [['footprint', '--vcpus', 'many'], exitCodes.usage],
    reads: (file) => ['footprint', '--fleet', file],
    otherKind: hello,
  },
  run: {
    done: ['run', hello, ...sim, '--until', 'runnable'],
    found: [['run', hello, ...sim, '--until', 'runnable', ...neverMet], exitCodes.findings],
    refused: [['run', at('many-vcpus.yaml'), ...sim], exitCodes.limitReached],
    reads: (file) => ['run', file, ...sim],
  },
  rehearse: {
    done: ['rehearse', hello, '--hops', '0'],
    found: [['rehearse', hello, '--hops', '0', ...neverMet], exitCodes.findings],
    refused: [['rehearse', hello], exitCodes.hostUnsupported],
    reads: (file) => ['rehearse', file],
  },
  watch: {
    done: ['watch', hello, ...watched],
    found: [['watch', hello, ...watched, ...neverMet], exitCodes.findings],
    refused: [['watch', hello, ...watched.slice(0, -2)], exitCodes.hostUnsupported],
    reads: (file) => ['watch', file, ...watched],
  },
  doctor: {
    done: ['doctor', '--root', at('healthy.json')],
    found: [['doctor', '--root', at('hibernation.json')], exitCodes.findings],
    refused: [['doctor', '--explain', 'no.such-check'], exitCodes.usage],
    reads: (file) => ['doctor', '--root', file],
    takesDirectory: true,
  },
  explain: {
    done: ['explain', 'ENOSPC', 'KVM_TDX_INIT_VM'],
    found: [['explain', 'nothing that is known'], exitCodes.notFound],
    refused: [['explain', 'ENOSPC', '--kernel', 'none'], exitCodes.usage],
    reads: 'reads no file',
  },
  host: {
    done: ['host', ...sim],
    found: 'judges nothing',
    refused: [['host', '--host', 'sim:none'], exitCodes.usage],
    reads: (file) => ['host', '--host', `sim:${file}`],
  },
  'host capture': {
    done: ['host', 'capture'],
    found: 'judges nothing',
    refused: [['host', 'capture', at('healthy.json')], exitCodes.conflict],
    reads: 'reads no file',
  },
  'host diff': {
    done: ['host', 'diff', at('healthy.json'), at('healthy.json')],
    found: [['host', 'diff', at('healthy.json'), at('hibernation.json')], exitCodes.findings],
    refused: [['host', 'diff', at('healthy.json')], exitCodes.usage],
    reads: (file) => ['host', 'diff', file, at('healthy.json')],
  },
  'host start': {
    done: ['host', 'start', 'begun'],
    found: 'judges nothing',
    refused: [['host', 'start', 'stays'], exitCodes.conflict],
    reads: (file) => ['host', 'start', 'of-file', '--host', `sim:${file}`],
    printsOnce: true,
  },
  'host list': {
    done: ['host', 'list'],
    found: 'judges nothing',
    refused: [['host', 'list', 'stays'], exitCodes.usage],
    reads: 'reads no file',
  },
  'host show': {
    done: ['host', 'show', 'stays'],
    found: 'judges nothing',
    refused: [['host', 'show', 'none'], exitCodes.notFound],
    reads: 'reads no file',
  },
  'host fault': {
    done: ['host', 'fault', 'stays', 'KVM_CREATE_VM#9=ENOMEM'],
    found: 'judges nothing',
    refused: [['host', 'fault', 'stays', 'NONE=ENOMEM'], exitCodes.usage],
    reads: 'reads no file',
    printsOnce: true,
  },
  'host trace': {
    done: ['host', 'trace', 'stays', '--for', '1ms'],
    found: 'judges nothing',
    refused: [['host', 'trace', 'none'], exitCodes.notFound],
    reads: 'reads no file',
    printsOnce: true,
  },
  'host stop': {
    done: ['host', 'stop', 'ends'],
    found: 'judges nothing',
    refused: [['host', 'stop', 'none'], exitCodes.notFound],
    reads: 'reads no file',
    printsOnce: true,
  },
  graph: {
    done: ['graph', 'td-lifecycle'],
    found: 'judges nothing',
    refused: [['graph', 'no-such-machine'], exitCodes.usage],
    reads: (file) => ['graph', 'td-lifecycle', '--coverage', file],
  },
  exec: {
    done: ['exec', '-q', '--', 'true'],
    found: [['exec', '-q', '--fault', 'KVM_TDX_INIT_VM#9=EIO', '--', 'true'], exitCodes.findings],
    refused: [['exec', '--', join(scratch, 'no-such-program')], exitCodes.commandNotFound],
    reads: (file) => ['exec', '--run', file, '--', 'true'],
    needsProcess: true,
  },
  'trace lint': {
    done: ['trace', 'lint', at('td.trace')],
    found: [['trace', 'lint', at('cut.trace')], exitCodes.findings],
    refused: [['trace', 'lint', at('td.trace'), '--host', 'kvm'], exitCodes.usage],
    reads: (file) => ['trace', 'lint', file],
  },
  kernels: {
    done: ['kernels'],
    found: 'judges nothing',
    refused: [['kernels', 'none'], exitCodes.usage],
    reads: 'reads no file',
  },
  completion: {
    done: ['completion', 'bash'],
    found: 'judges nothing',
    refused: [['completion', 'none'], exitCodes.usage],
    reads: 'reads no file',
  },
  man: {
    done: ['man', 'plan'],
    found: 'judges nothing',
    refused: [['man', 'none'], exitCodes.usage],
    reads: 'reads no file',
  },
  measure: {
    done: ['measure', example('firmware/hello.fd')],
    found: 'judges nothing',
    refused: [['measure', hello, '--order', 'none'], exitCodes.usage],
    reads: (file) => ['measure', file],
  },
  import: {
    done: ['import', definition('libvirt-tdx.xml')],
    found: [['import', definition('libvirt-pflash.xml')], exitCodes.findings],
    refused: [
      ['import', definition('libvirt-tdx.xml'), '--save', at('measured.yaml')],
      exitCodes.conflict,
    ],
    reads: (file) => ['import', file],
  },
  init: {
    done: ['init', '-'],
    found: 'judges nothing',
    refused: [['init', at('measured.yaml')], exitCodes.conflict],
    reads: 'reads no file',
  },
};

beforeAll(async () => {
  const spec = readFileSync(hello, 'utf8').replace(/firmware: /, `firmware: ${example('')}/`);
  writeFileSync(at('many-vcpus.yaml'), spec.replace(/vcpus: 4/, 'vcpus: 4000'));
  writeFileSync(at('measured.yaml'), `${spec}\n  measurement:\n    expect: '${'0'.repeat(96)}'\n`);
  for (const [name, tree] of [
    ['healthy', hostTree('healthy')],
    ['hibernation', hostTree('hibernation')],
  ] as const) {
    const capture = captureOf(await readFacts(tree), { tdctl: '0.0.0-test' });
    writeFileSync(at(`${name}.json`), JSON.stringify(capture));
    rmSync(tree, { recursive: true });
  }
  await cli([...(rows.run?.done ?? []), '--trace', at('td.trace')]);
  await cli(['create', hello, ...sim, '--name', 'day', '--start']);
  await cli(['create', hello, ...sim, '--name', 'night']);
  await cli(['stop', 'night', '--wait']);
  await cli(['create', hello, ...sim, '--name', 'away', '--kernel', 'rfc-migration-v2']);
  const trace = readFileSync(at('td.trace'), 'utf8').split('\n');
  const unfinished = trace.filter((line) => !line.includes('KVM_TDX_FINALIZE_VM'));
  writeFileSync(at('cut.trace'), unfinished.join('\n'));
  copyFileSync(fleet, at('other.yaml'));
  for (const name of ['stays', 'ends']) await cli(['host', 'start', name]);
});
afterAll(async () => {
  for (const name of ['stays', 'ends', 'begun']) await cli(['host', 'stop', name, '--now']);
});

/** Those with an action. What only has further commands below it does nothing of itself. */
function namesBelow(command: CommandUnknownOpts, path: Args = []): string[] {
  return command.commands.flatMap((sub) => {
    const name = [...path, sub.name()];
    const below = namesBelow(sub, name);
    return onlyDispatches.includes(name.join(' ')) ? below : [name.join(' '), ...below];
  });
}
const onlyDispatches: readonly string[] = ['trace'];

test('every command has a row', async () => {
  const root = await program(terminal().io, () => undefined);
  expect(Object.keys(rows).sort()).toEqual(namesBelow(root as CommandUnknownOpts).sort());
});

describe.each(Object.entries(rows))('tdctl %s', (_, row) => {
  const end = async (args: Args) => {
    const { exitCode, stderr } = await (row.needsProcess === true ? tdctl(args) : cli(args));
    return { args, exitCode, told: stderr };
  };
  const ends = (args: Args, exitCode: number) =>
    expect(end(args)).resolves.toEqual({ args, exitCode, told: expect.anything() });
  const { found, reads } = row;

  test('0 where it was done, and 6 or what its help says where something was found', async (context) => {
    if (row.needsProcess === true && !loadAddon().available) context.skip('the addon is not built');
    await ends(row.done, exitCodes.ok);
    if (found !== 'judges nothing') await ends(...found);
  });

  test('what cannot be done has the code of the reason', async (context) => {
    if (row.needsProcess === true && !loadAddon().available) context.skip('the addon is not built');
    await ends(row.refused[0], row.refused[1]);
    await ends([...row.done.slice(0, 1), '--no-such-option'], exitCodes.usage);
  });

  test('3 for a file that is not there, 1 for one that cannot be read, 5 for another kind', async (context) => {
    if (row.needsProcess === true && !loadAddon().available) context.skip('the addon is not built');
    if (reads === 'reads no file') return;
    await ends(reads(at('none.yaml')), exitCodes.notFound);
    if (row.takesDirectory !== true) await ends(reads(`${scratch}/`), exitCodes.failed);
    await ends(reads(row.otherKind ?? at('other.yaml')), exitCodes.specInvalid);
  });

  test('1 where its output meets a full disk', () => {
    if (row.printsOnce === true) return;
    const { status, stderr } = spawnSync(process.execPath, [builtMain(), ...row.done], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/^\s+at /m);
    const writes = row.needsProcess !== true && row.maySayNothing !== true;
    expect({ status, lost: stderr.includes('[TDCTL_E_NOT_WRITABLE]') }).toEqual({
      status: writes ? exitCodes.failed : exitCodes.ok,
      lost: writes,
    });
  });
});
