import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { roundedBytes } from '../../src/documents/quantity.ts';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-footprint-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const mixed = ['footprint', '--fleet', 'examples/fleets/mixed.yaml'];

describe('tdctl footprint', () => {
  test.each([
    ['text', 'mixed.txt'],
    ['json', 'mixed.json'],
    ['yaml', 'mixed.yaml'],
  ])('prints a contract as %s', async (format, golden) => {
    const { stdout, stderr, exitCode } = await cli([...mixed, '-o', format]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(`../golden/footprint/${golden}`);
  });

  test('says of a host what dynamic PAMT saves, and that a full one saves nothing', async () => {
    const host = 'footprint --vcpus 8 --type td --host-memory 1TiB'.split(' ');
    const { pamt } = JSON.parse((await cli([...host, '-o', 'json'])).stdout);
    expect(pamt).toMatchObject({ hostMemoryBytes: 2 ** 40, tdMemoryBytes: 0 });
    expect(pamt.savedBytes / pamt.staticBytes).toBeGreaterThan(0.98);
    const full = JSON.parse((await cli([...host, '--td-memory', '1TiB', '-o', 'json'])).stdout);
    expect(full.pamt.savedBytes).toBeLessThanOrEqual(0);
    const { stdout } = await cli([...host, '--td-memory', '256GiB']);
    expect(stdout).toMatch(
      /^Page metadata \(PAMT\) of a host with 1 TiB, 256 GiB of them in TDs$/m,
    );
    expect(stdout).toMatch(/^ *saved +3\.0 GiB$/m);
  });

  test.each([
    ['--td-memory 1GiB', /--td-memory: .*no host is named/],
    ['--host-memory many', /--host-memory: .*is not a size/],
    ['--host-memory 1GiB --td-memory 2GiB', /no more memory than their host/],
  ])('refuses %s', async (options, message) => {
    const { exitCode, stderr } = await cli(['footprint', '--vcpus', '1', ...options.split(' ')]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('takes one VM from the command line, as a plain one and as a TD', async () => {
    const { stdout } = await cli('footprint --vcpus 4 --max-vcpus 8 --vms 400 -o json'.split(' '));
    const { vms, tables } = JSON.parse(stdout);
    expect(vms.map(({ type, count }: { type: string; count: number }) => [type, count])).toEqual([
      ['plain', 400],
      ['td', 400],
    ]);
    expect(tables.map(({ id }: { id: string }) => id)).toEqual([
      'vcpuArray',
      'pidTable',
      'limit',
      'controlPages',
    ]);
  });

  test('says in the output what is an estimate', async () => {
    const { stdout } = await cli(['footprint', '--vcpus', '4']);
    expect(stdout).toMatch(/list .*\[3\]/);
    expect(stdout).toMatch(/Estimates\n[\s\S]*\[3\] {2}two pointers in each vCPU created/);
    expect(stdout).toMatch(/array in struct kvm(?!.*\[)/);
  });

  test('says that ids have gaps, and what they cost', async () => {
    const { stdout } = await cli('footprint --vcpus 4 --max-vcpu-id 600'.split(' '));
    expect(stdout).toContain('ids have gaps: 597 entries of the PID-pointer table for no vCPU');
  });

  test.each<[args: string, place: string, problem: RegExp]>([
    ['', '--vcpus', /nothing to compare/],
    ['--vcpus 0', '--vcpus', /`0` is no whole number from 1 to 1000000/],
    ['--vcpus four', '--vcpus', /`four` is no whole number/],
    ['--vcpus 4 --max-vcpus 0', '--max-vcpus', /from 1/],
    ['--vcpus 4 --max-vcpus 2', '--max-vcpus', /at least vcpus, which is 4/],
    ['--vcpus 4 --max-vcpus 1025', '--max-vcpus', /at most 1024, KVM_MAX_VCPUS/],
    ['--vcpus 4 --max-vcpus 65536 --type td', '--max-vcpus', /16 bits of TD_PARAMS/],
    ['--vcpus 4 --max-vcpus unbounded --type td', '--max-vcpus', /cannot be unbounded in a TD/],
    ['--vcpus 4 --max-vcpu-id 2', '--max-vcpu-id', /at least 3/],
    ['--vcpus 4 --kvm-max-vcpus 512', '--kvm-max-vcpus', /from 1024 to 4096/],
    ['--vcpus 4 --vms -1', '--vms', /`-1` is no whole number/],
    ['--vcpus 4 --type tdx', '--type', /use plain or td/],
    ['--vcpus 4 --fleet examples/fleets/mixed.yaml', '--fleet', /no other option/],
  ])('refuses `%s` with exit code 2, naming %s', async (args, place, problem) => {
    const { stderr, stdout, exitCode } = await cli([
      'footprint',
      ...args.split(' ').filter(Boolean),
    ]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(`error: ${place}: `);
    expect(stderr).toMatch(problem);
  });

  test.each<[what: string, file: string, exit: number, problem: RegExp]>([
    [
      'that is missing',
      'examples/fleets/mixd.yaml',
      3,
      /did you mean examples\/fleets\/mixed.yaml/,
    ],
    ['that is a TrustDomain', 'examples/hello.yaml', 5, /this is a TrustDomain file/],
    ['that is a directory', 'examples/fleets', 1, /name one of its files/],
  ])('refuses a fleet file %s', async (_what, file, exit, problem) => {
    const { stderr, exitCode } = await cli(['footprint', '--fleet', file]);
    expect(exitCode).toBe(exit);
    expect(stderr).toMatch(problem);
  });
});

describe('the chart', () => {
  test('is well-formed SVG with a panel for the smallest and the largest VM', async () => {
    const file = join(scratch, 'mixed.svg');
    const { stderr } = await cli([...mixed, '--chart', file]);
    expect(stderr).toBe(`wrote ${file}\n`);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/>containers<.*>400 plain VMs with 4 vCPUs, at most 8</);
    expect(svg).toMatch(/>database<.*>1 plain VM with 256 vCPUs, at most 512</);
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    await expect(svg).toMatchFileSnapshot('../golden/footprint/mixed.svg');
  });

  test.each([1, 2, 1024, 4096])('stays inside the picture for %d vCPUs', async (vcpus) => {
    const file = join(scratch, `${vcpus}.svg`);
    await cli(['footprint', '--vcpus', String(vcpus), '--kvm-max-vcpus', '4096', '--chart', file]);
    const svg = readFileSync(file, 'utf8');
    const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
    const inside = (place: string | undefined, most: number) => {
      expect(Number(place ?? 0)).toBeGreaterThanOrEqual(0);
      expect(Number(place ?? 0)).toBeLessThanOrEqual(most);
    };
    for (const [, x, y] of svg.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)) {
      inside(x, width);
      inside(y, height);
    }
    for (const [, y] of svg.matchAll(/V(-?[\d.]+)/g)) inside(y, height);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  const chartOf = async (name: string, options: string) => {
    const file = join(scratch, `${name}.svg`);
    await cli(['footprint', ...options.split(' '), '--chart', file]);
    return readFileSync(file, 'utf8');
  };

  test("shows the user's own VMs: another limit or number of them is another picture", async () => {
    const few = await chartOf('few', '--vcpus 4 --max-vcpus 8 --vms 3');
    const many = await chartOf('many', '--vcpus 4 --max-vcpus 8 --vms 400');
    const high = await chartOf('high', '--vcpus 4 --max-vcpus 512 --vms 400');
    expect(few).toContain('yours: 8');
    expect(high).toContain('yours: 512');
    for (const [vms, all] of [
      [few, 'all 3'],
      [many, 'all 400'],
    ] as const) {
      expect(vms).toContain(all);
    }
    const { tables } = JSON.parse(
      (await cli('footprint --vcpus 4 --max-vcpus 8 --vms 400 -o json'.split(' '))).stdout,
    );
    const { designs } = tables.find(({ id }: { id: string }) => id === 'controlPages');
    const { fleetBytes } = designs.find(({ id }: { id: string }) => id === '1.5.28');
    expect(many).toContain(`>${roundedBytes(fleetBytes)}<`);
  });

  test('no two lines look alike; those of a module end at its limit; steps are upright', async () => {
    const svg = await chartOf('lines', '--vcpus 4 --max-vcpus 8');
    const lines = [...svg.matchAll(/<path class="line (\w+)" d="([^"]*[VL][^"]*)"([^>]*)>/g)];
    expect(lines).toHaveLength(8);
    expect(new Set(lines.map(([, color]) => color)).size).toBe(8);
    const endOf = (color: string) => {
      const [, , d = ''] = lines.find(([, name]) => name === color) ?? [];
      return Number(/L([\d.]+) [\d.]+$/.exec(d)?.[1]);
    };
    const markOf = (words: string) =>
      Number(new RegExp(`x1="([\\d.]+)"[^>]*/><text[^>]*>${words}`).exec(svg)?.[1]);
    expect(endOf('always')).toBeCloseTo(markOf('module 1.5: 576'), 1);
    expect(endOf('apart')).toBeCloseTo(markOf('module 2.0: 1376'), 1);
    const [, , table = ''] = lines.find(([, name]) => name === 'timer') ?? [];
    let y = '';
    for (const [part, , to = '', down = ''] of table.matchAll(/([ML])[\d.]+ ([\d.]+)|V([\d.]+)/g)) {
      if (part.startsWith('L')) expect(to).toBe(y);
      y = to || down;
    }
  });

  test('says where a module cannot have so many vCPUs', async () => {
    const svg = await chartOf('large', '--vcpus 700 --max-vcpus 1000');
    expect(svg).toContain('module 1.5: too many vCPUs');
    expect(svg).not.toContain('module 2.0: too many');
  });
});
