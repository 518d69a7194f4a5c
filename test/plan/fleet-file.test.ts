import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { loadFleet, parseFleet, readFleet } from '../../src/plan/fleet/fleet-file.ts';
import { fleetJsonSchemaText } from '../../src/plan/fleet/json-schema.ts';
import { projectRoot } from '../support/tdctl.ts';

const file = (vms: string, kvmMaxVcpus = 1024) =>
  `apiVersion: tdctl.io/v1alpha1
kind: Fleet
metadata: { name: f }
spec:
  kvmMaxVcpus: ${kvmMaxVcpus}
  vms:
${vms}`;

function mistakes(text: string): string[] {
  try {
    parseFleet(text, { path: 'fleet.yaml' });
  } catch (error) {
    if (error instanceof TdctlError) {
      expect(error.exitCode).toBe(5);
      return error.details.map((detail) => detail.split('\n')[0] ?? '');
    }
    throw error;
  }
  return [];
}

describe('a fleet file', () => {
  test.each(readdirSync(join(projectRoot, 'examples/fleets')))(
    'examples/fleets/%s is valid',
    async (name) => {
      const fleet = await loadFleet(join(projectRoot, 'examples/fleets', name));
      expect(fleet.groups.length).toBeGreaterThan(0);
    },
  );

  test('schema/fleet.json is the schema of the code', () => {
    expect(readFileSync(join(projectRoot, 'schema/fleet.json'), 'utf8')).toBe(
      fleetJsonSchemaText(),
    );
  });

  test('a group of TDs takes its vCPUs from the TrustDomain file that it names', async () => {
    const path = join(projectRoot, 'examples/fleets/f.yaml');
    const { groups } = await readFleet(file('    - { name: a, spec: ../hello.yaml, count: 3 }'), {
      path,
    });
    expect(groups).toMatchObject([{ name: 'a', type: 'td', count: 3, vcpus: 4, maxVcpus: 4 }]);
    expect(groups[0]?.td?.name).toBe('hello');
  });

  test('a group says its vCPUs, or names a file that does', () => {
    expect(() => parseFleet(file('    - { name: a }'), { path: 'f' })).toThrow();
    const both = file('    - { name: a, spec: td.yaml, vcpus: 2 }');
    expect(() => parseFleet(both, { path: 'f' })).toThrow();
  });

  test('a fleet file takes its defaults from what is there', () => {
    const { groups } = parseFleet(file('    - { name: a, vcpus: 4 }'), { path: 'f' });
    expect(groups).toEqual([
      { name: 'a', type: 'plain', count: 1, vcpus: 4, maxVcpus: 4, maxVcpuId: undefined },
    ]);
  });

  test.each<[what: string, vms: string, finding: string]>([
    [
      'a negative count',
      '    - { name: a, vcpus: 4, count: -1 }',
      '7:35: spec.vms.0.count: must be at least 1; this is -1',
    ],
    [
      'no vCPU',
      '    - { name: a, vcpus: 0 }',
      '7:25: spec.vms.0.vcpus: must be at least 1; this is 0',
    ],
    [
      'a limit of 0',
      '    - { name: a, vcpus: 4, maxVcpus: 0 }',
      '7:38: spec.vms.0.maxVcpus: must be a whole number from 1, or unbounded; this is the number 0',
    ],
    [
      'a limit above KVM_MAX_VCPUS',
      '    - { name: a, vcpus: 4, maxVcpus: 1025 }',
      '7:38: spec.vms.0.maxVcpus: must be at most 1024, KVM_MAX_VCPUS; this is 1025 (a kernel can be built for up to 4096)',
    ],
    [
      'a limit above u16 of a TD',
      '    - { name: a, type: td, vcpus: 4, maxVcpus: 65536 }',
      '7:48: spec.vms.0.maxVcpus: must be at most 65535, 16 bits of TD_PARAMS; this is 65536',
    ],
    [
      'a limit below the vCPUs',
      '    - { name: a, vcpus: 4, maxVcpus: 3 }',
      '7:38: spec.vms.0.maxVcpus: must be at least vcpus, which is 4; this is 3',
    ],
    [
      'an unbounded TD',
      '    - { name: a, type: td, vcpus: 4, maxVcpus: unbounded }',
      '7:48: spec.vms.0.maxVcpus: cannot be unbounded in a TD: no vCPU can be added after FINALIZE_VM',
    ],
    [
      'fewer ids than vCPUs',
      '    - { name: a, vcpus: 4, maxVcpuId: 2 }',
      '7:39: spec.vms.0.maxVcpuId: must be at least 3, since 4 vCPUs have as many ids from 0; this is 2',
    ],
    [
      'an id above KVM_MAX_VCPU_IDS',
      '    - { name: a, vcpus: 4, maxVcpuId: 4096 }',
      '7:39: spec.vms.0.maxVcpuId: must be less than 4096, KVM_MAX_VCPU_IDS; this is 4096',
    ],
    [
      'two groups of one name',
      '    - { name: a, vcpus: 4 }\n    - { name: a, vcpus: 8 }',
      '8:15: spec.vms.1.name: is the name of another group too, the first of the list',
    ],
    [
      'an unknown key',
      '    - { name: a, vcpus: 4, maxVcpu: 8 }',
      '7:28: spec.vms.0.maxVcpu: is an unknown key; did you mean maxVcpus?',
    ],
  ])('refuses %s at its place', (_what, vms, finding) => {
    expect(mistakes(file(vms))).toContain(`fleet.yaml:${finding}`);
  });

  test('all mistakes of a fleet file are listed at once', () => {
    const text = file('    - { name: a, vcpus: 0, count: -1, maxVcpuId: -5 }', 7);
    expect(mistakes(text)).toHaveLength(4);
  });

  test('a fleet file may have ids with gaps', () => {
    expect(mistakes(file('    - { name: a, vcpus: 4, maxVcpuId: 100 }'))).toEqual([]);
  });
});
