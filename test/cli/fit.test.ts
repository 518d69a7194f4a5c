import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli } from '../support/cli.ts';
import { projectRoot, tdctl } from '../support/tdctl.ts';

const hello = join(projectRoot, 'examples/hello.yaml');
const scratch = mkdtempSync(join(tmpdir(), 'tdctl-fit-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const fixtures = [
  'healthy',
  'hibernation',
  'module-too-old',
  'more-cpus-than-vcpus',
  'no-free-slot',
  'no-permission',
];
const captures = join(scratch, 'captures');

beforeAll(async () => {
  mkdirSync(captures);
  for (const name of fixtures) {
    const tree = hostTree(name);
    const capture = captureOf(await readFacts(tree), { tdctl: '0.0.0-test' });
    writeFileSync(join(captures, `${name}.json`), JSON.stringify(capture));
    rmSync(tree, { recursive: true });
  }
});

test('hosts are named as for --host: the default profile, and a file behind `sim:`', async () => {
  const file = join(projectRoot, 'examples/hosts/tenant-limit.yaml');
  const { hosts } = await rowsOf('--hosts', 'sim', `sim:${file}`);
  expect(hosts.map(({ host }) => host?.name)).toEqual(['sim:spr-1.5', 'tenant-limit']);
  expect((await runFit('--hosts', `sim:${file}`, '--count', '2')).exitCode).toBe(6);
});

let folders = 0;
/** A directory with these files; the text of a fixture's capture for `capture:NAME`. */
function folder(files: Readonly<Record<string, string>>): string {
  folders += 1;
  const path = join(scratch, `hosts-${folders}`);
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    const capture = /^capture:(.*)/.exec(text)?.[1];
    if (capture === undefined) writeFileSync(join(path, name), text);
    else cpSync(join(captures, `${capture}.json`), join(path, name));
  }
  return path;
}

const runFit = (...args: string[]) => cli(['fit', hello, ...args], { cwd: scratch });

interface HostRow {
  readonly host?: { readonly name: string };
  readonly place: string;
  readonly verdict: string;
  readonly firstReason: string | null;
  readonly error?: { readonly code: string; readonly exitCode: number; readonly hint: string };
}

async function rowsOf(...args: string[]) {
  const { stdout, exitCode } = await runFit(...args, '-o', 'json');
  const { hosts, summary } = JSON.parse(stdout);
  return { hosts: hosts as HostRow[], summary, exitCode };
}

describe('tdctl fit', () => {
  test.each([
    ['text', 'captures.txt'],
    ['json', 'captures.json'],
    ['yaml', 'captures.yaml'],
  ])('prints a contract as %s', async (format, golden) => {
    const hosts = ['captures', 'sim:gnr-2.0', 'sim:mismatch', 'sim:small-client'];
    const { stdout, stderr, exitCode } = await runFit('--hosts', ...hosts, '-o', format);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`../golden/fit/${golden}`);
  });

  test('with --from tells a start from a migration, as a contract', async () => {
    const { stdout, exitCode } = await runFit(
      ...['--hosts', 'sim:spr-1.5', 'sim:gnr-2.0', 'sim:small-client', '--from', 'sim:spr-1.5'],
    );
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot('../golden/fit/from.txt');
  });

  test('exits 6 when no host can take it, also when none can by migration', async () => {
    expect((await runFit('--hosts', 'sim:mismatch')).exitCode).toBe(6);
    expect((await runFit('--hosts', 'sim:gnr-2.0')).exitCode).toBe(0);
    expect((await runFit('--hosts', 'sim:gnr-2.0', '--from', 'sim:spr-1.5')).exitCode).toBe(6);
  });

  test('takes SimulatedHost files', async () => {
    const { hosts } = await rowsOf('--hosts', join(projectRoot, 'examples/hosts'));
    expect(hosts.map(({ host, verdict }) => [host?.name, verdict])).toEqual([
      ['edge-box', 'fits'],
      ['tenant-limit', 'fits'],
    ]);
  });

  test('judges simulated hosts by the kernel that is asked for', async () => {
    const { hosts } = await rowsOf('--hosts', 'sim:mismatch', '--kernel', 'series-v19');
    expect(hosts[0]?.verdict).toBe('fits');
  });

  test('lists as many as asked for, and counts all', async () => {
    const { stdout } = await runFit('--hosts', 'captures', '--limit', '1');
    expect(stdout.match(/^ {2}\S+: /gm)).toHaveLength(3);
    expect(stdout).toContain('Cannot take it: 4\n');
    expect(stdout).toContain('and 3 more (--limit)');
    expect(stdout).toContain('6 hosts in all');
  });
});

describe('a host file that is no host', () => {
  test.each<[what: string, name: string, text: string, code: string, exit: number]>([
    ['junk', 'x.json', 'junk', 'TDCTL_E_SPEC_INVALID', 5],
    ['empty', 'x.json', '', 'TDCTL_E_SPEC_INVALID', 5],
    [
      'a capture of a newer schema',
      'x.json',
      '{"kind":"tdctl.HostCapture","schemaVersion":99,"tdctl":"9.0.0"}',
      'TDCTL_E_SPEC_INVALID',
      5,
    ],
    [
      'a damaged capture',
      'x.json',
      '{"kind":"tdctl.HostCapture","schemaVersion":1,"tdctl":"1","facts":{}}',
      'TDCTL_E_SPEC_INVALID',
      5,
    ],
    ['a TrustDomain', 'x.yaml', readFileSync(hello, 'utf8'), 'TDCTL_E_SPEC_INVALID', 5],
  ])(
    '(%s) is named with reason and remedy, and the others are judged',
    async (_what, name, text, code, exit) => {
      const hosts = folder({
        'a.json': 'capture:healthy',
        [name]: text,
        'z.json': 'capture:hibernation',
      });
      const { hosts: rows, exitCode, summary } = await rowsOf('--hosts', hosts);
      expect(exitCode).toBe(0);
      expect(summary).toMatchObject({ hostCount: 3, judged: 2, unreadable: 1 });
      const bad = rows.find(({ verdict }) => verdict === 'unreadable');
      expect(bad?.place).toContain(name);
      expect(bad?.error).toMatchObject({ code, exitCode: exit });
      expect(bad?.error?.hint).toBeTruthy();
    },
  );

  test('ends the command with its own error when there is nothing else', async () => {
    const { stderr, exitCode } = await runFit('--hosts', folder({ 'x.json': 'junk' }));
    expect(exitCode).toBe(5);
    expect(stderr).toContain('x.json: this is not JSON');
  });

  test('is passed over in a directory by its ending', async () => {
    const hosts = folder({ 'a.json': 'capture:healthy', README: 'x', 'a.json~': 'junk' });
    expect((await rowsOf('--hosts', hosts)).summary.hostCount).toBe(1);
  });
});

describe('names of hosts', () => {
  test('two hosts of one name: the second is refused, with the place of the first', async () => {
    const one = folder({ 'node1.json': 'capture:healthy' });
    const other = folder({ 'node1.json': 'capture:hibernation' });
    const { hosts, exitCode } = await rowsOf('--hosts', one, other);
    expect(exitCode).toBe(0);
    expect(hosts[0]).toMatchObject({ host: { name: 'node1' }, verdict: 'fits' });
    expect(hosts[1]?.error).toMatchObject({ code: 'TDCTL_E_AMBIGUOUS', exitCode: 4 });
    expect(JSON.stringify(hosts[1])).toContain(join(one, 'node1.json'));
  });

  test('one file that is named twice, or through a link, is judged once', async () => {
    const hosts = folder({ 'node1.json': 'capture:healthy' });
    const links = folder({});
    symlinkSync(join(hosts, 'node1.json'), join(links, 'node1.json'));
    const { summary } = await rowsOf('--hosts', hosts, join(hosts, 'node1.json'), links);
    expect(summary).toMatchObject({ hostCount: 1, unreadable: 0 });
  });

  test('a name with control characters is printed harmlessly', async () => {
    const { stdout } = await runFit('--hosts', folder({ 'evil\u001b[2J.json': 'capture:healthy' }));
    expect(stdout).toContain('evil\\u{1b}[2J');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('places of hosts', () => {
  test.each<[what: string, hosts: () => string, exit: number, problem: RegExp]>([
    ['a missing directory', () => 'nowhere', 3, /nowhere: there is no such file or directory/],
    ['an empty directory', () => folder({}), 3, /the directory is empty/],
    ['a directory without host files', () => folder({ a: '' }), 3, /none of the 1 entries/],
    ['an unknown profile', () => 'sim:spr', 2, /sim:spr: there is no simulated host `spr`/],
  ])('%s is told, and the others are judged', async (_what, hosts, exit, problem) => {
    const alone = await runFit('--hosts', hosts());
    expect(alone.exitCode).toBe(exit);
    expect(alone.stderr).toMatch(problem);
    const { summary, exitCode } = await rowsOf('--hosts', hosts(), 'captures');
    expect(exitCode).toBe(0);
    expect(summary).toMatchObject({ judged: 6, unreadable: 1 });
  });

  test('a directory that may not be read is told, and the others are judged', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root may become another user');
    const closed = folder({ 'a.json': 'capture:healthy' });
    chmodSync(closed, 0o700);
    chmodSync(scratch, 0o755);
    const { stdout, exitCode } = await tdctl(
      ['fit', hello, '--hosts', closed, 'captures', '-o', 'json'],
      { cwd: scratch, uid: 65534 },
    );
    expect(exitCode).toBe(0);
    const { hosts } = JSON.parse(stdout) as { hosts: HostRow[] };
    expect(hosts[0]).toMatchObject({ place: closed, verdict: 'unreadable' });
    expect(hosts[0]?.error).toMatchObject({ code: 'TDCTL_E_NOT_READABLE' });
  });
});

describe('a wrong command line', () => {
  test.each<[args: string[], exit: number, problem: RegExp]>([
    [['--hosts', 'captures', '--limit', '-1'], 2, /--limit takes a whole number/],
    [['--hosts', 'sim:spr-1.5', '--kernel', 'linux'], 2, /--kernel: there is no kernel ABI/],
    [['--hosts', 'captures', '--from', 'captures/no.json'], 3, /captures\/no.json/],
    [
      ['--hosts', 'captures', '--from', 'captures/hibernation.json'],
      8,
      /none can be moved from it/,
    ],
    [[], 2, /required option '--hosts/],
  ])('%j exits %d', async (args, exit, problem) => {
    const { stderr, stdout, exitCode } = await runFit(...args);
    expect(exitCode).toBe(exit);
    expect(stderr).toMatch(problem);
    if (exit === 8) expect(stdout).toBe('');
  });
});

describe('thousands of hosts', () => {
  test('are judged in a heap that could not hold their files', async () => {
    const capture = JSON.parse(readFileSync(join(captures, 'healthy.json'), 'utf8'));
    const path = '/long'.repeat(120);
    const firmware = Array.from({ length: 100 }, () => ({ path, problem: null }));
    capture.facts.firmware = { state: 'read', from: 'test', value: firmware };
    const text = JSON.stringify(capture);
    const files = Object.fromEntries(
      Array.from({ length: 1500 }, (_, index) => [`node-${index}.json`, text]),
    );
    const heapMib = 48;
    expect(text.length * 1500).toBeGreaterThan(1.5 * heapMib * 2 ** 20);
    const { stdout, exitCode } = await tdctl(['fit', hello, '--hosts', folder(files)], {
      env: { NODE_OPTIONS: `--max-old-space-size=${heapMib}` },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('1500 hosts in all');
  });
});
