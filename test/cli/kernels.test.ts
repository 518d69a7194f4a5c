/** `tdctl kernels`, and tdctl under every kernel ABI it shows. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { differences } from '../../src/diagnosis/kernels/differences.ts';
import { kernelRules } from '../../src/diagnosis/kernels/rules.ts';
import { type KernelAbiName, kernelAbis } from '../../src/simulator/index.ts';
import { Driver } from '../simulator/drive.ts';
import { cli } from '../support/cli.ts';
import { kernelTable } from './kernel-table.ts';

const names = Object.keys(kernelAbis) as KernelAbiName[];
const root = join(import.meta.dirname, '../..');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tdctl-kernels-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const golden = (name: string) => join(root, 'test/golden/kernels', name);

describe('tdctl kernels', () => {
  test('without a name: one line for each kernel ABI', async () => {
    const { exitCode, stdout } = await cli(['kernels']);
    expect(exitCode).toBe(0);
    await expect(stdout).toMatchFileSnapshot(golden('overview.txt'));
    for (const name of names) expect(stdout).toContain(`\n${name} `);
  });

  test('with names: every rule, its source, and what is not confirmed', async () => {
    const { stdout } = await cli(['kernels', 'upstream-7.3', 'rfc-migration-v2']);
    await expect(stdout).toMatchFileSnapshot(golden('details.txt'));
  });

  test.each([[[]], [names]])('no line is wider than 80 columns (%#)', async (asked) => {
    const { stdout } = await cli(['kernels', ...asked]);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('as JSON and YAML: the records with the rules in words, and every check in its order', async () => {
    const { stdout } = await cli(['kernels', '-o', 'json']);
    const yaml = await cli(['kernels', '--output', 'yaml']);
    expect(parseYaml(yaml.stdout)).toEqual(JSON.parse(stdout));
    const orders = JSON.parse(stdout).kernels.map(
      ({ checkOrder }: { checkOrder: { byRequest: unknown } }) => checkOrder.byRequest,
    );
    expect(orders).toEqual(names.map((name) => kernelAbis[name].checks));
    // The orders are those of the records, and long.
    const shown = JSON.parse(stdout, (key, value) => (key === 'byRequest' ? undefined : value));
    await expect(`${JSON.stringify(shown, null, 2)}\n`).toMatchFileSnapshot(golden('all.json'));
  });

  test('an unknown name is a usage error with the nearest name', async () => {
    const { exitCode, stderr, stdout } = await cli(['kernels', 'upstrem-7.3']);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('upstream-7.3');
    expect((await cli(['kernels', 'toString'])).exitCode).toBe(2);
  });
});

describe('the records', () => {
  test.each(names)('%s says where its rules come from and is named as it is called', (name) => {
    expect(kernelAbis[name].name).toBe(name);
    expect(kernelAbis[name].source).not.toBe('');
    expect(kernelAbis[name].description).not.toBe('');
  });

  test('no two are the same in words: what tells them apart is shown', () => {
    const inWords = names.map((name) =>
      JSON.stringify([
        kernelRules.map((rule) => rule.answer(kernelAbis[name])),
        differences(kernelAbis[name], kernelAbis['upstream-7.3']),
      ]),
    );
    expect(new Set(inWords).size).toBe(names.length);
  });

  test('only released kernels and what changes nothing else are without anything unconfirmed', () => {
    const confirmed = names.filter((name) => kernelAbis[name].unconfirmed.length === 0);
    expect(confirmed).toEqual(['upstream-7.3']);
  });
});

describe.each(names)('the facts of a simulated host (%s)', (kernel) => {
  test('say what KVM_ENABLE_CAP, KVM_TDX_INIT_VM and KVM_TDX_TERMINATE_VM really do', async () => {
    const { stdout } = await cli(['host', '--host', 'sim', '--kernel', kernel, '-o', 'json']);
    const facts = JSON.parse(stdout).kernel;
    const driver = new Driver({ kernelAbi: kernel });
    const vm = driver.createVm();
    const takesCap = driver.cap(vm, 'KVM_CAP_MAX_VCPUS', 4n) === 0;
    const terminates = driver.terminateVm(vm) === 0;
    expect(facts).toMatchObject({
      id: kernel,
      hasMaxVcpusCap: takesCap,
      hasTerminateVm: terminates,
    });
  });
});

describe('tdctl run under every kernel ABI', () => {
  test.each(names)('builds a TD and takes it down (%s)', async (kernel) => {
    const { exitCode, stderr } = await cli([
      ...['run', join(root, 'examples/hello.yaml'), '--host', 'sim'],
      ...['--kernel', kernel, '--until', 'runnable'],
    ]);
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  });

  test.each(names)('and one with as many vCPUs as its file says (%s)', async (kernel) => {
    const path = join(folder, `${kernel}.yaml`);
    const hello = readFileSync(join(root, 'examples/hello.yaml'), 'utf8');
    const firmware = join(root, 'examples/firmware/hello.fd');
    writeFileSync(
      path,
      hello.replace(/vcpus: *\d+/, 'vcpus: 7').replace('firmware/hello.fd', firmware),
    );
    const { exitCode, stdout } = await cli([
      ...['run', path, '--host', 'sim', '--kernel', kernel, '--until', 'runnable', '-o', 'json'],
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).not.toBe('');
  });

  test('a capability that a fault refuses is explained by the checks of that kernel', async () => {
    const { exitCode, stderr } = await cli([
      ...['run', join(root, 'examples/hello.yaml'), '--host', 'sim'],
      ...['--kernel', 'proposal-1', '--fault', 'KVM_ENABLE_CAP#2=EINVAL'],
    ]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(
      'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) answered EINVAL: the number is above KVM_MAX_VCPUS, or the VM has a vCPU',
    );
    expect(stderr).not.toContain('name the capability');
  });

  test('an unknown one names those there are', async () => {
    const { exitCode, stderr } = await cli(['host', '--host', 'sim', '--kernel', 'linux-1.0']);
    expect(exitCode).toBe(2);
    for (const name of names) expect(stderr).toContain(name);
  });
});

test('docs/kernels.md has the table that the records and the simulator make', () => {
  const page = readFileSync(join(root, 'docs/kernels.md'), 'utf8');
  const marked = page.split('<!-- made from the records -->')[1];
  expect(marked?.trim()).toBe(kernelTable().trim());
});
