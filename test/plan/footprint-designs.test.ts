/** The figures of the seed threads, each by the thread that names it. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import {
  compareDesigns,
  type Fleet,
  moduleParameter,
  type VmGroup,
  xarrayBytes,
} from '../../src/plan/fleet/index.ts';

const KIB = 1024;

const vm = (fields: Partial<VmGroup> = {}): VmGroup => ({
  name: 'vm',
  type: 'plain',
  count: 1,
  vcpus: 4,
  maxVcpus: 4,
  maxVcpuId: undefined,
  ...fields,
});

const fleet = (...groups: VmGroup[]): Fleet => ({ name: 'test', kvmMaxVcpus: 1024, groups });

function cost(fleetOfTest: Fleet, table: string, design: string) {
  const row = compareDesigns(fleetOfTest)
    .find(({ id }) => id === table)
    ?.designs.find(({ id }) => id === design);
  if (row === undefined) throw new Error(`no ${table}.${design}`);
  return row;
}

const small = vm({ name: 'small' });
const large = vm({ name: 'large', vcpus: 512, maxVcpus: 1024 });
const unbounded = vm({ name: 'unbounded', vcpus: 8, maxVcpus: 'unbounded' });

describe('"KVM: VMX: Resize PID-ponter table on demand for IPI virtualization" (2022)', () => {
  test('4 KiB suffice for a handful of vCPUs where the full table takes 32 KiB', () => {
    expect(cost(fleet(small), 'pidTable', 'full').fleetBytes).toBe(32 * KIB);
    expect(cost(fleet(small), 'pidTable', 'per-vm-cap').fleetBytes).toBe(4 * KIB);
  });

  test('small_n,maxcpus=large_N pays for large_N from the start', () => {
    const hotplug = vm({ vcpus: 2, maxVcpus: 1024 });
    expect(cost(fleet(hotplug), 'pidTable', 'per-vm-cap').fleetBytes).toBe(8 * KIB);
  });

  test('user space that lowers nothing pays for KVM_MAX_VCPU_IDS and works', () => {
    expect(cost(fleet(unbounded), 'pidTable', 'per-vm-cap').fleetBytes).toBe(32 * KIB);
  });

  test('the table is by the largest id, so ids with gaps cost more than their vCPUs', () => {
    const sparse = vm({ vcpus: 4, maxVcpus: 4, maxVcpuId: 600 });
    expect(cost(fleet(sparse), 'pidTable', 'per-vm-cap').fleetBytes).toBe(8 * KIB);
  });

  test('hundreds of small VMs are where it counts', () => {
    const many = fleet(vm({ count: 500 }));
    const saved =
      cost(many, 'pidTable', 'full').fleetBytes - cost(many, 'pidTable', 'per-vm-cap').fleetBytes;
    expect(saved).toBe(500 * 28 * KIB);
  });
});

describe('"x86/kvm: add boot parameter for setting max number of vcpus per guest" (2021)', () => {
  test('a parameter of the module has to fit the largest VM', () => {
    const mixed = fleet(small, vm({ name: 'medium', vcpus: 16, maxVcpus: 64 }));
    expect(moduleParameter(mixed)).toBe(64);
    const { perVm } = cost(mixed, 'limit', 'module-parameter');
    expect(perVm[0]).toBe(perVm[1]);
  });

  test('a cap of each VM does not: a small one pays for itself beside a large one', () => {
    const alone = cost(fleet(small), 'limit', 'per-vm-cap').perVm[0];
    const beside = cost(fleet(small, large), 'limit', 'per-vm-cap').perVm[0];
    expect(beside).toBe(alone);
    expect(beside).toBe(4 * 8 + 4 * KIB);
  });

  test('an unbounded VM makes the parameter useless, and keeps its own cap from helping it', () => {
    const mixed = fleet(small, unbounded);
    expect(moduleParameter(mixed)).toBe(1024);
    expect(cost(mixed, 'limit', 'module-parameter').fleetBytes).toBe(
      cost(mixed, 'limit', 'compiled-in').fleetBytes,
    );
    const [smallBytes, unboundedBytes] = cost(mixed, 'limit', 'per-vm-cap').perVm;
    expect(unboundedBytes).toBe(40 * KIB);
    expect(smallBytes).toBeLessThan(5 * KIB);
  });
});

describe('"KVM: use RCU to allow dynamic kvm->vcpus array" (2017)', () => {
  test('an array in struct kvm costs a small VM as much as a large one', () => {
    expect(cost(fleet(small, large), 'vcpuArray', 'static-array').perVm).toEqual([8192, 8192]);
  });

  test('its three options cost a small VM nearly nothing, whatever the limit is', () => {
    for (const design of ['sized-at-creation', 'resized-on-demand', 'list', 'tree']) {
      expect(cost(fleet(small), 'vcpuArray', design).fleetBytes, design).toBeLessThanOrEqual(64);
    }
  });

  test('sizing at creation needs to know the most; the other two do not', () => {
    expect(cost(fleet(unbounded), 'vcpuArray', 'sized-at-creation').fleetBytes).toBe(8192);
    expect(cost(fleet(unbounded), 'vcpuArray', 'resized-on-demand').fleetBytes).toBe(64);
  });

  test('the xarray that KVM took has no node for one vCPU, and a node for every 64', () => {
    expect([1, 2, 64, 65, 4096, 4097].map(xarrayBytes)).toEqual(
      [0, 1, 1, 3, 65, 68].map((nodes) => 16 + 576 * nodes),
    );
  });
});

describe('"KVM: TDX: Make KVM_CAP_MAX_VCPUS backend specific" (2024)', () => {
  const td = vm({ type: 'td', vcpus: 4, maxVcpus: 8 });

  test.each([
    ['1.5.28', 7],
    ['2.0.02', 8],
    ['2.0.08', 10],
  ])(
    'a TD on module %s takes %d pages, and 6 for each vCPU that may ever run',
    (release, pages) => {
      expect(cost(fleet(td), 'controlPages', release).fleetBytes).toBe(4096 * (pages + 6 * 8));
    },
  );

  test('every release of the module has its row', () => {
    const table = compareDesigns(fleet(td)).find(({ id }) => id === 'controlPages');
    expect(table?.designs.map(({ id }) => id)).toEqual(Object.keys(moduleReleases));
  });

  test('a TD has no PID-pointer table, a plain VM no control pages', () => {
    expect(compareDesigns(fleet(td)).map(({ id }) => id)).not.toContain('pidTable');
    expect(compareDesigns(fleet(small)).map(({ id }) => id)).not.toContain('controlPages');
  });
});

describe('any fleet', () => {
  const anyVm = fc
    .record({
      type: fc.constantFrom('plain' as const, 'td' as const),
      count: fc.integer({ min: 1, max: 1000 }),
      vcpus: fc.integer({ min: 1, max: 1024 }),
      headroom: fc.integer({ min: 0, max: 1023 }),
    })
    .map(({ headroom, ...fields }) =>
      vm({ ...fields, maxVcpus: Math.min(1024, fields.vcpus + headroom) }),
    );

  propertyTest.prop({ groups: fc.array(anyVm, { minLength: 1, maxLength: 6 }) })(
    'never pays more for a cap of each VM than for one parameter, nor more for that than compiled in',
    ({ groups }) => {
      const bytes = (design: string) => cost(fleet(...groups), 'limit', design).fleetBytes;
      expect(bytes('per-vm-cap')).toBeLessThanOrEqual(bytes('module-parameter'));
      expect(bytes('module-parameter')).toBeLessThanOrEqual(bytes('compiled-in'));
    },
  );

  propertyTest.prop({ groups: fc.array(anyVm, { minLength: 1, maxLength: 6 }) })(
    'costs what its VMs cost one by one',
    ({ groups }) => {
      for (const { designs } of compareDesigns(fleet(...groups))) {
        for (const { perVm, fleetBytes } of designs) {
          const sum = groups.reduce((all, { count }, at) => all + count * (perVm[at] ?? 0), 0);
          expect(fleetBytes).toBe(sum);
        }
      }
    },
  );
});
