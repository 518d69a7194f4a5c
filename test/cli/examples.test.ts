/** What help, README and docs give to type does what it says: each line is run, and ends as it should. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { program } from '../../src/cli/program.ts';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli, terminal } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-examples-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const model = join(scratch, 'model');

/** Lines that are not run here, and why. */
const left: readonly (readonly [RegExp, string])[] = [
  [/^tdctl exec /, 'it starts a program that need not be here; test/exec has its own'],
  [/--host (soft|kvm)/, 'it needs such a machine; test/kvm has it'],
  [/--faults each|--compare all/, 'test/cli/rehearse.test.ts plays it'],
  [/--paused/, 'it waits for a viewer; test/cli/watch.test.ts is one'],
  [/^tdctl host (start|show|fault|trace|stop)|--host on:/, 'test/cli/shared-host.test.ts does it'],
  [
    /\btdctl (create|apply|start|pause|resume|stop|kill|delete|list|show|logs|console|events|wait|prune|migrate|upgrade)\b/,
    'test/cli/kept runs those of kept TDs',
  ],
  [/^tdctl watch [a-z-]+$/, 'test/cli/kept/watch.test.ts runs it with a TD of that name'],
  [/^(dmesg|journalctl)/, 'it reads the log of this machine'],
  [/^virsh/, 'libvirt need not be here'],
  [/^tdctl import -- /, 'its words are cut short; test/cli/import.test.ts types them whole'],
];

/** How they end where that is not 0: of what is broken on purpose, and what depends on this machine. */
const otherEnds: readonly (readonly [RegExp, readonly number[]])[] = [
  [/=source-dies/, [1]],
  [/KEY_GENERATION_FAILED/, [1]],
  [/--slots-left 1/, [7]],
  // One of the captured hosts has 60 key slots.
  [/captures\/ --count 100/, [6]],
  [/^tdctl doctor(?! --(explain|root))/, [0, 6]],
  [/^tdctl host diff/, [6]],
  // Neither QEMU nor the disks need be here.
  [/^tdctl plan vm.yaml/, [6, 8]],
  [/trace lint .*--(kernel|host)/, [0, 6]],
];

/** So that what waits for somebody ends by itself. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/^tdctl run (?!.*--until)/, ' --until runnable'],
  [/^tdctl watch /, ' --speed max --until-end'],
];

beforeAll(async () => {
  mkdirSync(join(model, 'captures'), { recursive: true });
  const at = (name: string) => join(model, name);
  const image = readFileSync('examples/firmware/hello.fd');
  writeFileSync(at('OVMF.fd'), image);
  writeFileSync(at('OVMF_VARS.fd'), image.subarray(0, 4096));
  writeFileSync(at('OVMF_CODE.fd'), image.subarray(4096));
  const hello = readFileSync('examples/hello.yaml', 'utf8');
  writeFileSync(at('td.yaml'), hello.replace('firmware/hello.fd', 'OVMF.fd'));
  const rehearsal = readFileSync('examples/rehearsals/upgrade.yaml', 'utf8');
  writeFileSync(at('upgrade.yaml'), rehearsal.replaceAll('../hello.yaml', 'td.yaml'));
  cpSync('examples', at('examples'), { recursive: true });
  const fleet = readFileSync('examples/rehearsals/fleet.yaml', 'utf8');
  writeFileSync(at('fleet.yaml'), fleet.replaceAll('../hello.yaml', 'td.yaml'));
  copyFileSync('test/fixtures/explain/libvirt-too-old.log', at('qemu.log'));
  copyFileSync('test/fixtures/definitions/libvirt-tdx.xml', at('vm.xml'));
  copyFileSync('test/fixtures/definitions/one-line.sh', at('run-td.sh'));
  for (const [node, fixture] of [
    ['node1', 'healthy'],
    ['node2', 'hibernation'],
  ] as const) {
    const tree = hostTree(fixture);
    const text = JSON.stringify(captureOf(await readFacts(tree), { tdctl: '0.0.0-test' }));
    for (const name of [`${node}.json`, `captures/${node}.json`]) writeFileSync(at(name), text);
    if (node === 'node1') cpSync(tree, at('from-customer'), { recursive: true });
    rmSync(tree, { recursive: true });
  }
  const run = ['run', 'td.yaml', '--host', 'sim', '--until', 'runnable'];
  await cli([...run, '--trace', 'qemu.trace'], { cwd: model });
  for (const name of ['qemu.strace', 'vmm.trace']) copyFileSync(at('qemu.trace'), at(name));
  const events = await cli([...run, '-o', 'json'], { cwd: model });
  for (const name of ['run.jsonl', 'more.jsonl']) writeFileSync(at(name), events.stdout);
  await cli(['plan', 'td.yaml', '--host', 'sim', '--save', 'td.plan'], { cwd: model });
});

function helpPaths(command: CommandUnknownOpts, path: readonly string[] = []): string[][] {
  return [[...path], ...command.commands.flatMap((sub) => helpPaths(sub, [...path, sub.name()]))];
}

/** An example is indented, and what it is for follows after at least two spaces, or behind a `#`. */
function commandsIn(line: string): readonly string[] {
  const shown = line
    .trim()
    .replace(/^\$ (sudo )?/, '')
    .replace(/( {2,}|\s#)(?!.*tdctl).*$/, '');
  return shown.split(/ && |; +/).filter((part) => /^(tdctl|\w+ .*\| tdctl) ?/.test(part));
}

async function examples(): Promise<readonly string[]> {
  const root = (await program(terminal().io, () => undefined)) as CommandUnknownOpts;
  const helps = await Promise.all(
    helpPaths(root).map(async (path) => (await cli([...path, '--help'])).stdout),
  );
  const inHelp = helps.flatMap((help) => /Examples:\n((?: +.*\n|\n(?= ))*)/.exec(help)?.[1] ?? []);
  // Tests of their own run these pages, and look at what comes of it.
  const pages = readdirSync('docs').filter(
    (name) => name.endsWith('.md') && !['tasks.md', 'operating.md', 'upgrade.md'].includes(name),
  );
  const inPages = ['README.md', ...pages.map((name) => `docs/${name}`)].flatMap((page) =>
    [...readFileSync(join(projectRoot, page), 'utf8').matchAll(/^```sh\n(.*?)^```/gms)].map(
      ([, block = '']) => block,
    ),
  );
  const lines = [...inHelp, ...inPages].flatMap((block) =>
    block.replaceAll(/ \\\n +/g, ' ').split('\n'),
  );
  return [...new Set(lines.flatMap((line) => commandsIn(line).join(' && ')))].filter(Boolean);
}

const all = await examples();
const isLeft = (line: string) => left.some(([form]) => form.test(line));

test('the examples are found, and every reason to leave some out is one', () => {
  expect(all.length).toBeGreaterThan(60);
  for (const [form] of left) expect(all.some((line) => form.test(line))).toBe(true);
});

test.each(all.filter((line) => !isLeft(line)))('%s', async (line) => {
  const cwd = mkdtempSync(join(scratch, 'case-'));
  cpSync(model, cwd, { recursive: true });
  for (const part of line.split(' && ')) {
    const [, command = '', file] = /^(.*?)(?: > (\S+))?(?: \|.*)?$/.exec(part) ?? [];
    const typed = command.replaceAll('/usr/share/ovmf/', '');
    const more = endings.flatMap(([form, words]) => (form.test(typed) ? [words] : []));
    const args = `${typed}${more.join('')}`.split(/ +/).slice(1);
    // What an example makes anew is not there before.
    if (args[0] === 'init') rmSync(join(cwd, 'td.yaml'));
    if (args.includes('capture')) rmSync(join(cwd, 'node1.json'));
    if (args.includes('--save')) rmSync(join(cwd, 'td.plan'));
    const { exitCode, stdout, stderr } = await cli(args, { cwd });
    // What a shell expands is a place outside of this directory.
    if (file !== undefined && !/[~$]/.test(file)) writeFileSync(join(cwd, file), stdout);
    const ends = otherEnds.find(([form]) => form.test(part))?.[1] ?? [0];
    expect({ args, ends: ends.includes(exitCode) || { exitCode, stderr } }).toEqual({
      args,
      ends: true,
    });
  }
});
