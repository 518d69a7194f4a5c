/** docs/limits.md tells figures; they are those of the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { roundedBytes } from '../../src/documents/quantity.ts';
import { compareDesigns, type Fleet } from '../../src/plan/fleet/index.ts';
import { projectRoot } from '../support/tdctl.ts';

/** As the page says above its table. */
const fleet: Fleet = {
  name: 'of the page',
  kvmMaxVcpus: 1024,
  groups: [
    { name: 'small', type: 'plain', count: 400, vcpus: 4, maxVcpus: 8, maxVcpuId: undefined },
    { name: 'large', type: 'plain', count: 1, vcpus: 1024, maxVcpus: 1024, maxVcpuId: undefined },
  ],
};

const rows: Readonly<Record<string, readonly (readonly [table: string, design: string])[]>> = {
  'array in struct kvm': [['vcpuArray', 'static-array']],
  KVM_CREATE_VM2: [['vcpuArray', 'sized-at-creation']],
  'resized on demand': [['vcpuArray', 'resized-on-demand']],
  'list, or growing tree': [
    ['vcpuArray', 'list'],
    ['vcpuArray', 'tree'],
  ],
  'xarray (5.17': [['vcpuArray', 'xarray']],
  'PID table, full': [['pidTable', 'full']],
  'PID table by kvm.max_vcpus': [['pidTable', 'module-parameter']],
  'PID table by KVM_CAP_MAX_VCPU_ID': [['pidTable', 'per-vm-cap']],
};

test.each(Object.entries(rows))('the row "%s" of docs/limits.md', (label, designs) => {
  const page = readFileSync(join(projectRoot, 'docs/limits.md'), 'utf8');
  const row = page.split('\n').find((line) => line.startsWith(`| ${label}`));
  const costs = designs.map(([table, design]) => {
    const found = compareDesigns(fleet)
      .find(({ id }) => id === table)
      ?.designs.find(({ id }) => id === design);
    return { small: roundedBytes(found?.perVm[0] ?? 0), all: roundedBytes(found?.fleetBytes ?? 0) };
  });
  const cells = row?.split(' | ') ?? [];
  expect(cells[1]).toBe(costs.map(({ small }) => small).join(', '));
  expect(cells[2]).toBe(costs.map(({ all }) => all).join(', '));
});
