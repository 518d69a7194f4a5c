/** Who says how many vCPUs a TD may have, and who checks it. */

import { describe, expect, test } from 'vitest';
import { hasMaxVcpusCap, makesCheck } from '../../../src/abi/kvm/kernels/record.ts';
import {
  createSimulatedHost,
  type KernelAbiName,
  kernelAbis,
} from '../../../src/simulator/index.ts';
import { gnr20 } from '../../../src/simulator/profiles/hosts/gnr-2.0.ts';
import { spr15 } from '../../../src/simulator/profiles/hosts/spr-1.5.ts';
import { Driver } from '../drive.ts';
import { command, cpuidOf, initVmStruct } from '../structs.ts';
import { abisWhere } from './abis.ts';

const maxVcpusCap = 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)';

const created = (kernelAbi: KernelAbiName, profile: 'spr-1.5' | 'gnr-2.0' = 'spr-1.5') => {
  const driver = new Driver({ kernelAbi, profile });
  const vm = driver.createVm();
  driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  return { driver, vm };
};
const setMax = ({ driver, vm }: { driver: Driver; vm: number }, vcpus: bigint) =>
  driver.cap(vm, 'KVM_CAP_MAX_VCPUS', vcpus);

describe.each(abisWhere((abi) => abi.maxVcpus.atCreateVm.includes('present CPUs')))(
  'the merged rule (%s)',
  (kernelAbi) => {
    test('the limit is min(KVM_MAX_VCPUS, present CPUs), told on the VM fd only', () => {
      const { driver, vm } = created(kernelAbi);
      expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(224);
      expect(driver.check(driver.kvm, 'KVM_CAP_MAX_VCPUS')).toBe(1024);
    });

    test('KVM_ENABLE_CAP(MAX_VCPUS) is EINVAL in every state', () => {
      const td = created(kernelAbi);
      expect(setMax(td, 4n)).toBe('EINVAL');
      td.driver.initVm(td.vm);
      expect(setMax(td, 4n)).toBe('EINVAL');
    });

    test('INIT_VM looks at no max_vcpus', () => {
      const { driver, vm } = created(kernelAbi);
      expect(driver.initVm(vm, { maxVcpus: 60_000 })).toBe(0);
      expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(224);
    });
  },
);

describe('up to v7 (pre-v8)', () => {
  test('KVM_CREATE_VM takes the key ID, and is EBUSY when there is none', () => {
    const driver = new Driver({ kernelAbi: 'pre-v8', profile: 'one-slot' });
    const vm = driver.createVm();
    expect(driver.machine.keySlots.used).toBe(1);
    expect(driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 })).toBe('EBUSY');
    expect(driver.machine.snapshot().vms).toHaveLength(1);
    driver.release(vm);
    expect(driver.machine.keySlots.used).toBe(0);
    expect(driver.machine.snapshot().hostPages).toEqual({ inUse: 0, leaked: 0 });
  });

  test('a VM of the default type takes none', () => {
    const driver = new Driver({ kernelAbi: 'pre-v8', profile: 'one-slot' });
    driver.createVm();
    expect(driver.createVm('KVM_X86_DEFAULT_VM')).toBeTypeOf('number');
  });

  test('UNCONFIRMED: INIT_VM that the module refuses leaves the TD, and may be tried again', () => {
    const { driver, vm } = created('pre-v8');
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, { maxVcpus: 1000 }, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).not.toBe(0n);
    expect(driver.machine.keySlots.used).toBe(1);
    expect(driver.initVm(vm)).toBe(0);
  });

  test('before INIT_VM: FINALIZE_VM is EINVAL though there is a key ID, and CREATE_VCPU is EINVAL', () => {
    const { driver, vm } = created('pre-v8');
    expect(driver.finalizeVm(vm)).toBe('EINVAL');
    expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
  });
});

describe.each(
  abisWhere(
    (abi) =>
      makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.max-vcpus-too-large') &&
      abi.initVm.doneWhen === 'max_vcpus is set',
  ),
)('max_vcpus in INIT_VM (%s)', (kernelAbi) => {
  test('KVM_CREATE_VCPU before INIT_VM is EINVAL: 0 vCPUs of 0', () => {
    const { driver, vm } = created(kernelAbi);
    expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
  });

  test('INIT_VM sets the limit of the VM, which KVM_CREATE_VCPU holds it to', () => {
    const { driver, vm } = created(kernelAbi);
    expect(driver.initVm(vm, { maxVcpus: 2 })).toBe(0);
    expect(driver.machine.snapshot().vms[0]?.maxVcpus).toBe(2);
    for (const id of [0, 1]) expect(driver.createVcpu(vm, id)).toBeTypeOf('number');
    expect(driver.createVcpu(vm, 2)).toBe('EINVAL');
  });

  test('a second INIT_VM is EINVAL', () => {
    const { driver, vm } = created(kernelAbi);
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.initVm(vm)).toBe('EINVAL');
  });

  test('above KVM_MAX_VCPUS it is EINVAL, and no SEAMCALL is made', () => {
    const { driver, vm } = created(kernelAbi);
    const calls = driver.record();
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, { maxVcpus: 1025 }, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).toBe(0n);
    expect(calls).toEqual(['KVM_TDX_INIT_VM']);
  });

  test("KVM does not know the module's limit: the module refuses, EINVAL with its status", () => {
    const { driver, vm } = created(kernelAbi);
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, { maxVcpus: 577 }, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).not.toBe(0n);
    expect(driver.initVm(vm, { maxVcpus: 576 })).toBe(0);
  });

  test('the checks in their order: flags, copy, padding, nent, tail, all but the copy EINVAL', () => {
    const { driver, vm } = created(kernelAbi);
    const init = (change: Parameters<Driver['initVm']>[1]) => driver.initVm(vm, change);
    const data = { readNent: () => 1, read: () => undefined };
    const faulty = { request: 'KVM_TDX_INIT_VM', cmd: command('KVM_TDX_INIT_VM'), data } as const;
    expect(driver.call(vm, { ...faulty, cmd: command('KVM_TDX_INIT_VM', { flags: 1 }) })).toBe(
      'EINVAL',
    );
    expect(driver.call(vm, faulty)).toBe('EFAULT');
    expect(init({ cpuid: { ...cpuidOf(), padding: 1 } })).toBe('EINVAL');
    // E2BIG on Linux 7.3
    expect(init({ cpuid: { nent: 406, padding: 0, entries: [] } })).toBe('EINVAL');
    expect(init({ reserved: [0n, 1n] })).toBe('EINVAL');
    expect(init({})).toBe(0);
  });

  test('UNCONFIRMED: KVM_CHECK_EXTENSION on the VM fd is KVM_MAX_VCPUS throughout', () => {
    const { driver, vm } = created(kernelAbi);
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(1024);
    driver.initVm(vm);
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(1024);
  });
});

const e2big = abisWhere((abi) => makesCheck(abi, maxVcpusCap, 'enable-cap.max-vcpus.too-large'));

describe.each(e2big)('KVM_ENABLE_CAP(MAX_VCPUS) (%s)', (kernelAbi) => {
  test('a VM that is no TD is EINVAL', () => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(setMax({ driver, vm }, 4n)).toBe('EINVAL');
  });

  test('0 is EINVAL, also once there is a vCPU', () => {
    const td = created(kernelAbi);
    expect(setMax(td, 0n)).toBe('EINVAL');
    td.driver.initVm(td.vm);
    td.driver.createVcpu(td.vm, 0);
    expect(setMax(td, 0n)).toBe('EINVAL');
  });

  test('above KVM_MAX_VCPUS it is E2BIG, before vCPUs are counted', () => {
    const td = created(kernelAbi);
    expect(setMax(td, 1025n)).toBe('E2BIG');
    td.driver.createVcpu(td.vm, 0);
    expect(setMax(td, 1025n)).toBe('E2BIG');
  });

  test('with a vCPU it is EBUSY', () => {
    const td = created(kernelAbi);
    td.driver.createVcpu(td.vm, 0);
    expect(setMax(td, 4n)).toBe('EBUSY');
  });

  test('it may lower and raise, after INIT_VM too while there is no vCPU', () => {
    const td = created(kernelAbi);
    expect([setMax(td, 4n), setMax(td, 40n)]).toEqual([0, 0]);
    expect(td.driver.initVm(td.vm)).toBe(0);
    expect(setMax(td, 1n)).toBe(0);
    expect(td.driver.createVcpu(td.vm, 0)).toBeTypeOf('number');
    expect(td.driver.createVcpu(td.vm, 1)).toBe('EINVAL');
  });

  test('it goes into TD_PARAMS: without it the module refuses the 1024 of KVM', () => {
    const td = created(kernelAbi);
    const cmd = command('KVM_TDX_INIT_VM');
    expect(td.driver.initVm(td.vm, {}, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).not.toBe(0n);
    expect(setMax(td, 576n)).toBe(0);
    expect(td.driver.initVm(td.vm)).toBe(0);
  });

  test('UNCONFIRMED: vCPUs may come before INIT_VM, which is then EBUSY', () => {
    const td = created(kernelAbi);
    setMax(td, 4n);
    const vcpu = td.driver.createVcpu(td.vm, 0);
    expect(vcpu).toBeTypeOf('number');
    expect(td.driver.initVcpu(vcpu as number)).toBe('EINVAL');
    expect(td.driver.initVm(td.vm)).toBe('EBUSY');
  });
});

describe('the second limit of the capability', () => {
  const large = { ...spr15, kvmMaxVcpus: 100_000 };
  const limitOf = (kernelAbi: KernelAbiName) => {
    const driver = new Driver({ kernelAbi, profile: large });
    const vm = driver.createVm();
    return (vcpus: bigint) => setMax({ driver, vm }, vcpus);
  };

  test('v10 to v19: 0xffff, E2BIG; and the module would refuse most of that', () => {
    const set = limitOf('series-v19');
    expect([set(0xffffn), set(0x10000n)]).toEqual([0, 'E2BIG']);
  });

  test("uAPI breakout: the module's max_vcpus_per_td, E2BIG", () => {
    const set = limitOf('breakout-v1');
    expect([set(576n), set(577n)]).toEqual([0, 'E2BIG']);
  });

  test('v18: KVM_CHECK_EXTENSION on the VM fd is at most 0xffff; in the breakout it is the VM’s own', () => {
    for (const [kernelAbi, value] of [
      ['series-v19', 0xffff],
      ['breakout-v1', 100_000],
    ] as const) {
      const driver = new Driver({ kernelAbi, profile: large });
      const vm = driver.createVm();
      expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(value);
      setMax({ driver, vm }, 12n);
      expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(12);
      expect(driver.check(driver.kvm, 'KVM_CAP_MAX_VCPUS')).toBe(100_000);
    }
  });
});

describe('seed thread: the capability of options 1, 1.a and 1.b, by its diff', () => {
  test.each(
    abisWhere(
      (abi) => hasMaxVcpusCap(abi) && !makesCheck(abi, maxVcpusCap, 'enable-cap.max-vcpus.no-td'),
    ),
  )('any VM; above KVM_MAX_VCPUS and with a vCPU EINVAL; 0 accepted (%s)', (kernelAbi) => {
    const driver = new Driver({ kernelAbi });
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    const td = { driver, vm };
    expect([setMax(td, 1025n), setMax(td, 0n)]).toEqual(['EINVAL', 0]);
    expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
    expect(setMax(td, 1n)).toBe(0);
    expect(driver.createVcpu(vm, 0)).toBeTypeOf('number');
    expect([setMax(td, 4n), driver.createVcpu(vm, 1)]).toEqual(['EINVAL', 'EINVAL']);
  });

  test.each(abisWhere((abi) => !makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.vcpus-exist')))(
    'vCPUs may come before INIT_VM, take nothing of the module, and INIT_VM accepts them (%s)',
    (kernelAbi) => {
      const driver = new Driver({ kernelAbi });
      const vm = driver.createTd();
      const vcpu = driver.createVcpu(vm, 0) as number;
      expect(vcpu).toBeTypeOf('number');
      expect(driver.machine.keySlots.used).toBe(0);
      driver.setCpuid2(vcpu);
      expect(driver.initVcpu(vcpu)).toBe('EINVAL');
      expect(driver.initVm(vm)).toBe(0);
      expect(driver.initVcpu(vcpu)).toBe(0);
      expect(driver.finalizeVm(vm)).toBe(0);
    },
  );

  test.each(['proposal-1', 'proposal-1a'] as const)(
    'UNCONFIRMED: without the capability there is no vCPU, EINVAL (%s)',
    (kernelAbi) => {
      const { driver, vm } = created(kernelAbi);
      expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
    },
  );

  test('proposal-1: without the capability the module refuses a TD for 0 vCPUs', () => {
    const { driver, vm } = created('proposal-1');
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, {}, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).not.toBe(0n);
  });

  test('proposal-1b: without the capability the limit is KVM_MAX_VCPUS', () => {
    const { driver, vm } = created('proposal-1b', 'gnr-2.0');
    expect(driver.createVcpu(vm, 0)).toBeTypeOf('number');
    expect(driver.initVm(vm)).toBe(0);
    expect(gnr20.kvmMaxVcpus).toBe(1024);
    expect(driver.machine.snapshot().vms[0]?.maxVcpus).toBe(1024);
  });

  test('proposal-1b on a module that takes fewer than KVM_MAX_VCPUS: the module refuses', () => {
    const { driver, vm } = created('proposal-1b');
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, {}, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).not.toBe(0n);
  });

  test('proposal-1a: max_vcpus of INIT_VM must be what the capability set; UNCONFIRMED: EINVAL', () => {
    const td = created('proposal-1a');
    setMax(td, 4n);
    const calls = td.driver.record();
    expect(td.driver.initVm(td.vm, { maxVcpus: 5 })).toBe('EINVAL');
    expect(calls).toEqual(['KVM_TDX_INIT_VM']);
    expect(td.driver.initVm(td.vm, { maxVcpus: 4 })).toBe(0);
  });

  test('proposal-2: INIT_VM fails when more vCPUs exist than it names; UNCONFIRMED: EINVAL', () => {
    const td = created('proposal-2');
    expect(setMax(td, 4n)).toBe('EINVAL');
    for (const id of [0, 1, 2]) td.driver.createVcpu(td.vm, id);
    expect(td.driver.initVm(td.vm, { maxVcpus: 2 })).toBe('EINVAL');
    expect(td.driver.initVm(td.vm, { maxVcpus: 3 })).toBe(0);
    expect(td.driver.createVcpu(td.vm, 3)).toBe('EINVAL');
  });
});

describe('the module limit at bring-up, by kernel', () => {
  const few = { ...spr15, module: { release: '1.5.28', maxVcpusPerTd: 16 } } as const;

  test.each(abisWhere())('a module limit below the present CPUs (%s)', (kernelAbi) => {
    const refuses = kernelAbis[kernelAbi].bringUp.limitBelowPresentCpus === 'no KVM';
    if (refuses) {
      expect(() => new Driver({ kernelAbi, profile: few })).toThrow('ENODEV');
      return;
    }
    // The limit then comes from the module, at INIT_VM.
    const driver = new Driver({ kernelAbi, profile: few });
    expect(driver.builtTd().vcpus).toHaveLength(1);
  });

  test.each(abisWhere())('a module without the field (%s)', (kernelAbi) => {
    const profile = { ...spr15, module: { release: '1.5.01' } } as const;
    const { bringUp } = createSimulatedHost({ kernelAbi, profile });
    const asksForField = kernelAbis[kernelAbi].bringUp.limitMissing === 'no TDX';
    // Where it is not missed, what is missed next is TOPOLOGY_ENUM.
    expect(bringUp).toMatchObject(
      asksForField
        ? { outcome: 'no-tdx', reason: expect.stringContaining('MAX_VCPUS_PER_TD') }
        : { outcome: 'no-kvm', reason: expect.stringContaining('TOPOLOGY_ENUM') },
    );
  });
});

test('a struct without max_vcpus counts as 0 where the kernel has the field', () => {
  const { driver, vm } = created('series-v9');
  const { maxVcpus: _, ...without } = initVmStruct();
  const data = { readNent: () => 1, read: () => without };
  const cmd = command('KVM_TDX_INIT_VM');
  expect(driver.call(vm, { request: 'KVM_TDX_INIT_VM', cmd, data })).toBe('EINVAL');
  expect(cmd.value.hwError).not.toBe(0n);
});
