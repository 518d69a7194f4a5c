/** What Linux 6.16 checks in another order than 7.3, or otherwise: each difference on both sides. */
import { describe, expect, test } from 'vitest';
import type { CheckedRequest, CheckName } from '../../../src/abi/kvm/checks/index.ts';
import { makesCheck } from '../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../src/abi/tdx/status.ts';
import {
  CapabilitiesValue,
  CpuidValue,
  type KernelAbi,
  kernelAbis,
} from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import { command, faulting, memRegion } from '../structs.ts';
import { abisWhere, refusesFinalised } from './abis.ts';

/** Linux 6.16, and the series that was posted on it. */
const old616 = ['upstream-6.16', 'rfc-migration-v2'] as const;
/** Linux 7.3, and what is given on top of it. */
const on73: readonly string[] = [
  'upstream-7.3',
  'posted-terminate-vm',
  'posted-dynamic-pamt',
  'posted-inplace-conversion',
];

/**
 * One rule for some kernels, the other for all the rest. The record says which; `old` says which
 * records must.
 */
function eitherWay(
  title: string,
  isOld: (abi: KernelAbi) => boolean,
  check: (driver: Driver, old: boolean) => void,
  old: readonly string[] = old616,
): void {
  test.each(abisWhere())(`${title} (%s)`, (kernelAbi) => {
    expect(isOld(kernelAbis[kernelAbi])).toBe(old.includes(kernelAbi));
    check(new Driver({ kernelAbi }), isOld(kernelAbis[kernelAbi]));
  });
}

const isBefore =
  (request: CheckedRequest, first: CheckName, later: CheckName) =>
  ({ checks: { [request]: order } }: KernelAbi) =>
    order.indexOf(first) < order.indexOf(later);
const duplicateLast = isBefore('KVM_CREATE_VCPU', 'create-vcpu.irqchip', 'create-vcpu.id-taken');
const writesCapabilitiesBack = (abi: KernelAbi) =>
  makesCheck(abi, 'KVM_TDX_CAPABILITIES', 'command.unwritable');

describe('CREATE_VCPU: the place of the duplicate id', () => {
  test.each(abisWhere(refusesFinalised))(
    'after FINALIZE an id that exists is EEXIST where that comes first, else EIO (%s)',
    (kernelAbi) => {
      const driver = new Driver({ kernelAbi });
      const { vm } = driver.runnableTd();
      expect(driver.createVcpu(vm, 0)).toBe(
        duplicateLast(kernelAbis[kernelAbi]) ? 'EIO' : 'EEXIST',
      );
      expect(driver.createVcpu(vm, 1)).toBe('EIO');
    },
  );

  eitherWay(
    'without memory a duplicate id is ENOMEM only where it is seen last',
    duplicateLast,
    (driver, old) => {
      const { vm } = driver.builtTd();
      driver.failAt('KVM_CREATE_VCPU: allocate', 'ENOMEM');
      expect(driver.createVcpu(vm, 0)).toBe(old ? 'ENOMEM' : 'EEXIST');
    },
  );

  eitherWay(
    'a duplicate id is EEXIST on a VM of the default type in any case',
    duplicateLast,
    (driver) => {
      const vm = driver.createVm('KVM_X86_DEFAULT_VM');
      driver.createVcpu(vm, 3);
      expect(driver.createVcpu(vm, 3)).toBe('EEXIST');
    },
  );
});

describe('KVM_SET_USER_MEMORY_REGION2: the place of the guest_memfd', () => {
  eitherWay(
    'pages of another slot are seen before addresses that no guest has, or after them',
    isBefore(
      'KVM_SET_USER_MEMORY_REGION2',
      'memory-region.memfd-taken',
      'memory-region.address-range',
    ),
    (driver, old) => {
      const { vm, guestMemfd } = driver.builtTd();
      expect(driver.setSlot(vm, guestMemfd, 1, 1n << 47n)).toBe(old ? 'EEXIST' : 'EINVAL');
    },
    abisWhere(({ name }) => !on73.includes(name)),
  );
});

describe('KVM_TDX_CAPABILITIES', () => {
  const ask = (driver: Driver, nent: number | undefined, cmd: unknown, write = () => true) =>
    driver.call(driver.createVm(), {
      request: 'KVM_TDX_CAPABILITIES',
      cmd: cmd as ReturnType<typeof command>,
      data: { readNent: () => nent, write },
    });
  const plain = () => command('KVM_TDX_CAPABILITIES');

  eitherWay(
    'E2BIG and EFAULT come before ENOMEM, or after it',
    writesCapabilitiesBack,
    (driver, old) => {
      driver.failAt('KVM_TDX_CAPABILITIES: allocate', 'ENOMEM');
      expect(ask(driver, 3, plain())).toBe(old ? 'ENOMEM' : 'E2BIG');
      expect(ask(driver, undefined, plain())).toBe(old ? 'ENOMEM' : 'EFAULT');
      expect(ask(driver, 3, command('KVM_TDX_CAPABILITIES', { flags: 1 }))).toBe('EINVAL');
    },
  );

  eitherWay('the command is written back, or never', writesCapabilitiesBack, (driver, old) => {
    const unwritable = faulting(plain(), 'write');
    expect(ask(driver, 128, unwritable)).toBe(old ? 'EFAULT' : 0);
    expect(ask(driver, 3, unwritable)).toBe(old ? 'EFAULT' : 'E2BIG');
  });

  eitherWay('shows the same leaves', writesCapabilitiesBack, (driver) => {
    const data = new CapabilitiesValue(128);
    const vm = driver.createVm();
    expect(driver.call(vm, { request: 'KVM_TDX_CAPABILITIES', cmd: plain(), data })).toBe(0);
    expect(data.value?.cpuid).toHaveLength(28);
  });
});

describe('commands on a vCPU fd', () => {
  const stateFirst = isBefore(
    'KVM_TDX_INIT_VCPU',
    'command.td-not-in-building',
    'command.unreadable',
  );

  eitherWay(
    'on a RUNNABLE TD: EINVAL before an unreadable command, or EFAULT',
    stateFirst,
    (driver, old) => {
      const { vcpus } = driver.runnableTd();
      const unreadable = faulting(command('KVM_TDX_INIT_VCPU'), 'read');
      expect(driver.initVcpu(vcpus[0] as number, unreadable)).toBe(old ? 'EINVAL' : 'EFAULT');
    },
  );

  eitherWay(
    'a wait for another vCPU comes before an unreadable command, or after it',
    stateFirst,
    (driver, old) => {
      const { vm, vcpus } = driver.builtTd();
      driver.occupySibling(vm);
      const unreadable = faulting(command('KVM_TDX_INIT_VCPU'), 'read');
      expect(driver.initVcpu(vcpus[0] as number, unreadable)).toBe(old ? 'EINTR' : 'EFAULT');
    },
  );

  eitherWay(
    'GET_CPUID reads the command twice, or once',
    (abi) => !makesCheck(abi, 'KVM_TDX_GET_CPUID', 'command.unreadable-again'),
    (driver, old) => {
      const { vcpus } = driver.builtTd();
      const cmd = faulting(command('KVM_TDX_GET_CPUID'), 'second read');
      const data = new CpuidValue(256);
      const result = driver.call(vcpus[0] as number, { request: 'KVM_TDX_GET_CPUID', cmd, data });
      expect(result).toBe(old ? 0 : 'EFAULT');
    },
  );
});

describe('commands on the VM fd', () => {
  eitherWay(
    'a fatal signal while the vCPUs are waited for is EINTR, where they are',
    (abi) => !makesCheck(abi, 'KVM_TDX_FINALIZE_VM', 'command.killed'),
    (driver, old) => {
      const { vm } = driver.builtTd();
      driver.occupySibling(vm);
      expect(driver.finalizeVm(vm)).toBe(old ? 0 : 'EINTR');
    },
  );
});

describe('KVM_TDX_INIT_VM', () => {
  eitherWay(
    'TDH.MNG.CREATE refused is EIO, and bugs the VM or only warns',
    (abi) => makesCheck(abi, 'KVM_TDX_INIT_VM', 'init-vm.create-refused-alive'),
    (driver, old) => {
      const atCreateVm = driver.machine.kernelAbi.keyId.takenAt === 'KVM_CREATE_VM';
      const refuse = () =>
        driver.failLeaf('TDH.MNG.CREATE', (nth) =>
          nth === 0 ? statusWord('TDX_HKID_NOT_FREE') : undefined,
        );
      if (atCreateVm) {
        refuse();
        expect(driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 })).toBe('EIO');
        expect(driver.machine.keySlots.used).toBe(0);
        return;
      }
      const vm = driver.createTd();
      refuse();
      expect(driver.initVm(vm)).toBe('EIO');
      expect(driver.machine.keySlots.used).toBe(0);
      expect(driver.initVm(vm)).toBe(old ? 0 : 'EIO');
    },
  );

  eitherWay(
    'an empty pool',
    (abi) => makesCheck(abi, 'KVM_CREATE_VM', 'init-vm.no-key-slot-yet'),
    (driver, old) => {
      const full = new Driver({ kernelAbi: driver.machine.kernelAbi, profile: 'one-slot' });
      full.initializedTd();
      const vm = full.call(full.kvm, { request: 'KVM_CREATE_VM', type: 5 });
      if (typeof vm === 'string') {
        expect([vm, old]).toEqual(['EBUSY', true]);
        return;
      }
      full.prepareTd(vm);
      expect(full.initVm(vm)).toBe(old ? 'EBUSY' : 'ENOSPC');
    },
    ['pre-v8'],
  );
});

describe('INIT_MEM_REGION and FINALIZE_VM', () => {
  const returnsBusy = (abi: KernelAbi) =>
    makesCheck(abi, 'KVM_TDX_INIT_MEM_REGION', 'init-mem-region.busy');
  const busyOnce = (driver: Driver, leaf: 'TDH.MEM.PAGE.ADD' | 'TDH.MEM.SEPT.ADD') =>
    driver.failLeaf(leaf, (nth) => (nth === 0 ? statusWord('TDX_OPERAND_BUSY', 'RCX') : undefined));

  eitherWay(
    'PAGE.ADD with a busy operand is EBUSY, or tried again inside',
    returnsBusy,
    (driver, old) => {
      const { vcpus } = driver.builtTd();
      busyOnce(driver, 'TDH.MEM.PAGE.ADD');
      const region = memRegion({ nrPages: 3n });
      expect(driver.initMemRegion(vcpus[0] as number, region)).toBe(old ? 'EBUSY' : 0);
      expect(region.value.nrPages).toBe(old ? 3n : 0n);
      expect(driver.initMemRegion(vcpus[0] as number, region)).toBe(old ? 0 : 'EINVAL');
    },
  );

  eitherWay('UNCONFIRMED for SEPT.ADD: as PAGE.ADD', returnsBusy, (driver, old) => {
    const { vcpus } = driver.builtTd();
    busyOnce(driver, 'TDH.MEM.SEPT.ADD');
    expect(driver.initMemRegion(vcpus[0] as number)).toBe(old ? 'EBUSY' : 0);
  });

  eitherWay(
    'FINALIZE with a page that is mapped and not added (nr_premapped) is EINVAL, where it is counted',
    (abi) => makesCheck(abi, 'KVM_TDX_FINALIZE_VM', 'finalize-vm.pages-not-added'),
    (driver, old) => {
      const { vm, vcpus } = driver.builtTd();
      busyOnce(driver, 'TDH.MEM.PAGE.ADD');
      const region = memRegion();
      driver.initMemRegion(vcpus[0] as number, region);
      expect(driver.finalizeVm(vm)).toBe(old ? 'EINVAL' : 0);
      if (!old) return;
      expect(driver.initMemRegion(vcpus[0] as number, region)).toBe(0);
      expect(driver.finalizeVm(vm)).toBe(0);
    },
  );

  test.each(abisWhere(({ memory }) => memory.attributesOf === 'the VM'))(
    'source address 0 is EINVAL, or read like any other (%s)',
    (kernelAbi) => {
      const driver = new Driver({ kernelAbi });
      const { vcpus } = driver.builtTd();
      const region = memRegion({ sourceAddr: 0n });
      driver.unreadable.add(0n);
      const isOld = (old616 as readonly string[]).includes(kernelAbi);
      expect(driver.initMemRegion(vcpus[0] as number, region)).toBe(isOld ? 'EFAULT' : 'EINVAL');
    },
  );
});
