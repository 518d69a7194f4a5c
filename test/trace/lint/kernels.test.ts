/** What one kernel refuses and others do not, or for another reason: the linter says it by that kernel's check. */
import { describe, expect, test } from 'vitest';
import { book } from '../../../src/abi/kvm/checks/index.ts';
import { replaced, without } from '../../../src/abi/kvm/kernels/orders.ts';
import { vmTypes } from '../../../src/abi/kvm/vm-types.ts';
import {
  type HostProfileName,
  type KernelAbiName,
  kernelAbis,
} from '../../../src/simulator/index.ts';
import type { TraceRecord } from '../../../src/trace/index.ts';
import type { Driver } from '../../simulator/drive.ts';
import { command, faulting, memRegion, tdVcpus } from '../../simulator/structs.ts';
import { type JudgedUnder, judged, recorded } from './judged.ts';

interface Telling {
  readonly check: keyof typeof book;
  readonly severity?: 'warning' | 'note';
  readonly host?: HostProfileName;
  readonly run: (driver: Driver) => unknown;
}

const telling: Readonly<Record<KernelAbiName, Telling>> = {
  'upstream-7.3': {
    check: 'init-mem-region.source-zero',
    run: (driver) =>
      driver.initMemRegion(driver.builtTd().vcpus[0] ?? 0, memRegion({ sourceAddr: 0n })),
  },
  'upstream-6.16': {
    check: 'command.td-not-in-building',
    run: (driver) =>
      driver.initVcpu(
        driver.runnableTd().vcpus[0] ?? 0,
        faulting(command('KVM_TDX_INIT_VCPU'), 'read'),
      ),
  },
  'posted-inplace-conversion': {
    check: 'memory-attributes2.beyond-file',
    run: (driver) => driver.setAttributes2(driver.builtTd().guestMemfd, { size: 1n << 40n }),
  },
  'posted-dynamic-pamt': {
    check: 'init-mem-region.no-pamt',
    severity: 'warning',
    host: 'gnr-2.0',
    run: (driver) => {
      const { vcpus } = driver.builtTd();
      driver.failAt('KVM_TDX_INIT_MEM_REGION: allocate for dynamic PAMT', 'ENOMEM');
      driver.initMemRegion(vcpus[0] ?? 0);
    },
  },
  'posted-terminate-vm': {
    check: 'terminate-vm.vcpu-runs',
    severity: 'note',
    run: (driver) => {
      const { vm, vcpus } = driver.runnableTd();
      driver.occupy(vcpus[0] ?? 0);
      driver.terminateVm(vm);
    },
  },
  'rfc-migration-v2': {
    check: 'move.types-differ',
    run: (driver) => driver.move(driver.createTd(), driver.createVm('KVM_X86_DEFAULT_VM')),
  },
  'rfc-migration-v1': {
    check: 'move.td-states-kept',
    run: (driver) => driver.move(driver.createTd(), driver.initializedTd()),
  },
  'breakout-v1': {
    check: 'enable-cap.max-vcpus.too-large',
    run: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_MAX_VCPUS', 1000n),
  },
  'series-v19': {
    check: 'enable-cap.max-vcpus.vcpus-exist',
    run: (driver) => {
      const vm = driver.createTd();
      driver.createVcpu(vm, 0);
      driver.cap(vm, 'KVM_CAP_MAX_VCPUS', 4n);
    },
  },
  'series-v9': {
    check: 'init-vm.max-vcpus-too-large',
    run: (driver) => driver.initVm(driver.createTd(), { maxVcpus: 5000 }),
  },
  'pre-v8': {
    check: 'init-vm.no-key-slot-yet',
    severity: 'warning',
    run: (driver) => {
      driver.machine.changeForeignTds(63);
      driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: vmTypes.KVM_X86_TDX_VM });
    },
  },
  'proposal-1': {
    check: 'enable-cap.max-vcpus.above-kvm-max',
    run: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_MAX_VCPUS', 5000n),
  },
  'proposal-1a': {
    check: 'init-vm.max-vcpus-mismatch',
    run: (driver) => driver.initVm(driver.createTd(), { maxVcpus: tdVcpus + 1 }),
  },
  'proposal-1b': {
    check: 'enable-cap.max-vcpus.too-late',
    run: (driver) => {
      const vm = driver.createVm();
      driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
      driver.createVcpu(vm, 0);
      driver.cap(vm, 'KVM_CAP_MAX_VCPUS', 4n);
    },
  },
  'proposal-2': {
    check: 'init-vm.max-vcpus-too-small',
    run: (driver) => {
      const vm = driver.createTd();
      driver.createVcpu(vm, 0);
      driver.createVcpu(vm, 1);
      driver.initVm(vm, { maxVcpus: 1 });
    },
  },
};

/** As a trace of strace has it, or one of an earlier tdctl. */
function withoutChecks(records: readonly TraceRecord[]): TraceRecord[] {
  return records.map((record) => {
    if (record.kind !== 'call' || !('errno' in record.outcome)) return record;
    const { check: _, ...outcome } = record.outcome;
    return { ...record, outcome };
  });
}

/** What is found about the last call. */
async function found(records: readonly TraceRecord[], under: JudgedUnder) {
  const { findings } = await judged(records, under);
  return findings.findLast(({ problem }) => /^refused|would refuse/.test(problem));
}

const cases = Object.entries(telling) as [KernelAbiName, Telling][];

describe('a refusal is told by the check of the kernel', () => {
  test.each(cases)(
    '%s',
    async (kernelAbi, { check, severity = 'error', host = 'spr-1.5', run }) => {
      const records = await recorded(run, { kernelAbi, profile: host });
      const { when, remedy, source } = book[check];
      const finding = await found(records, { kernel: kernelAbi, host });
      expect(finding).toMatchObject({ id: check, severity, remedy, source });
      expect(finding?.kernel).toMatch(/^step \d+: /);
      expect(finding?.kernel).toContain(when);
    },
  );

  const circumstances = new Set(['pre-v8', 'posted-terminate-vm', 'posted-dynamic-pamt']);
  const replayed = cases.filter(([kernel]) => !circumstances.has(kernel));
  test.each(replayed)(
    '%s, also where only the replay knows it',
    async (kernelAbi, { check, run }) => {
      const records = withoutChecks(await recorded(run, { kernelAbi }));
      expect((await found(records, { kernel: kernelAbi }))?.id).toBe(check);
    },
  );
});

test('proposal-1a: the mismatch is told as such, and what to pass', async () => {
  const records = await recorded(telling['proposal-1a'].run, { kernelAbi: 'proposal-1a' });
  expect(await found(records, { kernel: 'proposal-1a' })).toMatchObject({
    kernel: expect.stringContaining('is not what KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) has set'),
    remedy: 'pass in max_vcpus what was given to KVM_CAP_MAX_VCPUS',
  });
});

test('series-v9: a struct of other kernels is known by the max_vcpus that it leaves there', async () => {
  const refused = await recorded(
    (driver) => driver.initVm(driver.createTd(), { maxVcpus: 4, reserved: [1n] }),
    { kernelAbi: 'series-v9' },
  );
  expect(await found(refused, { kernel: 'series-v9' })).toMatchObject({
    id: 'init-vm.reserved',
    kernel: expect.stringMatching(/^step \d+: .* where the VMM gives 4$/),
    remedy: expect.stringContaining('use a VMM that is built for this struct'),
  });
});

test('series-v9: a trace of a kernel without max_vcpus is not held against the VMM', async () => {
  const taken = await recorded((driver) =>
    driver.initVm(driver.createTd(), { maxVcpus: undefined }),
  );
  expect(await found(taken, { kernel: 'series-v9' })).toMatchObject({
    id: 'init-vm.module-refused-operand',
    kernel: expect.stringContaining('the trace gives none'),
    remedy: expect.stringContaining('`tdctl exec --kernel`'),
  });
});

describe('a made-up kernel record is judged by what it says', () => {
  const { 'upstream-7.3': base } = kernelAbis;
  const early = (driver: Driver) => driver.createVcpu(driver.createTd(), 0);

  test('a check that it does not make refuses nothing', async () => {
    const order = without(base.checks.KVM_CREATE_VCPU, 'create-vcpu.td-state');
    const kernel = { ...base, name: 'made-up', checks: { ...base.checks, KVM_CREATE_VCPU: order } };
    expect(await found(await recorded(early, { kernelAbi: kernel }), { kernel })).toBeUndefined();
  });

  test('the step is the place of the check in its order', async () => {
    const moved = without(base.checks.KVM_CREATE_VCPU, 'create-vcpu.td-state');
    const order = replaced(moved, 'vm.dead', 'vm.dead', 'create-vcpu.td-state');
    const kernel = { ...base, name: 'made-up', checks: { ...base.checks, KVM_CREATE_VCPU: order } };
    expect(await found(await recorded(early), { kernel })).toMatchObject({
      kernel: expect.stringMatching(/^step 1: /),
    });
  });
});
