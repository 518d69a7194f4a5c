/** What one command says of a TD on a host, all say: plan, run, rehearse, fit and host --room. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { captureOf } from '../../src/diagnosis/capture/index.ts';
import { readFacts } from '../../src/diagnosis/doctor/index.ts';
import { hostTree } from '../diagnosis/doctor/host-tree.ts';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-judge-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function write(name: string, kind: string, spec: unknown): string {
  const path = join(scratch, name);
  const object = { apiVersion: 'tdctl.io/v1alpha1', kind, metadata: { name: 'x' }, spec };
  writeFileSync(path, JSON.stringify(object));
  return path;
}

const firmware = join(projectRoot, 'examples/firmware/hello.fd');

const specs = fc.record({
  vcpus: fc.constantFrom(1, 2, 9),
  memory: fc.constantFrom('64MiB', '1GiB', '3GiB'),
  attributes: fc.constantFrom(['sept-ve-disable'], ['perfmon']),
  gpaw: fc.constantFrom(48, 52),
  measurement: fc.constantFrom({}, { expect: 'ab'.repeat(48) }),
  firmware: fc.constantFrom(firmware, firmware, join(projectRoot, 'package.json')),
  boot: fc.constantFrom(undefined, undefined, undefined, { kernel: 'vmlinuz' }),
});

const hosts = fc.record({
  from: fc.constantFrom('small-client', 'one-slot'),
  platform: fc.record({ memory: fc.constantFrom('2GiB', '16GiB') }),
  foreignTds: fc.constantFrom(0, 0, 1),
  cgroupLimits: fc.constantFrom(
    [],
    [{ path: '/', max: 0 }],
    [{ path: '/', memory: '512MiB' }],
    [{ path: '/', max: 4, memory: '8GiB' }],
  ),
});

describe('one judgement', () => {
  propertyTest.prop({ spec: specs, host: hosts }, { numRuns: 14 })(
    'is that of every command, whatever the TD and the host',
    async ({ spec, host }) => {
      const td = write('td.json', 'TrustDomain', spec);
      const file = write('host.json', 'SimulatedHost', host);
      const on = ['--host', `sim:${file}`];
      const codes = {
        plan: (await cli(['plan', td, ...on])).exitCode,
        run: (await cli(['run', td, ...on, '--until', 'runnable'])).exitCode,
        rehearse: (await cli(['rehearse', td, ...on, '--hops', '0'])).exitCode,
        fit: (await cli(['fit', td, '--hosts', file])).exitCode,
        room: (await cli(['host', ...on, '--room', td])).exitCode,
      };
      const verdicts = Object.values(codes).map((code) => code === 0);
      expect(new Set(verdicts).size, JSON.stringify(codes)).toBe(1);
    },
  );

  test('of a TD larger than the host ends with 7, before the first ioctl', async () => {
    const td = write('large.json', 'TrustDomain', { vcpus: 1, memory: '600GiB', firmware });
    const trace = join(scratch, 'large.trace');
    const run = await cli(['run', td, '--host', 'sim', '--trace', trace, '-o', 'json']);
    expect(run.exitCode).toBe(7);
    expect(run.stderr).toContain('TDCTL_E_NO_MEMORY');
    expect(run.stdout).not.toContain('KVM_CREATE_VM');
    const plan = await cli(['plan', td, '--host', 'sim']);
    expect(plan.exitCode).toBe(7);
  });
});

const roomFor = (td: string, host: string) =>
  cli(['host', '--host', `sim:${host}`, '--room', td, '-o', 'json']);

describe('room', () => {
  test('says how many, what stops the next one and how long all take', async () => {
    const td = write('td.json', 'TrustDomain', { vcpus: 1, memory: '1GiB', firmware });
    const host = write('small.json', 'SimulatedHost', {
      from: 'spr-1.5',
      platform: { memory: '8GiB' },
    });
    const { exitCode, stdout } = await roomFor(td, host);
    const { room } = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(room).toMatchObject({ taken: 7, isEnough: true, expectedTimes: { tds: 7 } });
    expect(room.demands[0].stops.map(({ id }: { id: string }) => id)).toEqual(['memory']);
    const exitOf = async (count: string) =>
      (await cli(['fit', td, '--hosts', host, '--count', count])).exitCode;
    expect([await exitOf('7'), await exitOf('8')]).toEqual([0, 6]);
  });

  test('of a captured host without TDX is that of the module that a host file adds', async () => {
    const tree = hostTree('healthy');
    const { facts } = captureOf(await readFacts(tree), { tdctl: '0.0.0-test' });
    rmSync(tree, { recursive: true });
    const capture = { kind: 'tdctl.HostCapture', schemaVersion: 1, tdctl: '0.0.0-test', facts };
    writeFileSync(join(scratch, 'node.json'), JSON.stringify(capture));
    const td = write('td.json', 'TrustDomain', { vcpus: 1, memory: '1GiB', firmware });
    const host = write('with.json', 'SimulatedHost', {
      from: './node.json',
      module: { release: '1.5.28' },
    });
    const { exitCode, stdout } = await roomFor(td, host);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      module: { version: '1.5.28' },
      platform: { presentCpus: 128 },
    });
  });
});
