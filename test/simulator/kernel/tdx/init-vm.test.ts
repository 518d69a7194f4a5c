import { describe, expect, test } from 'vitest';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import type { InitVmStruct, UserInitVm } from '../../../../src/simulator/index.ts';
import { spr15 } from '../../../../src/simulator/profiles/hosts/spr-1.5.ts';
import { Driver, type DriverOptions, memoryWith } from '../../drive.ts';
import { addressSizes, command, cpuidOf, faulting, initVmStruct } from '../../structs.ts';

function created(options: DriverOptions = {}): { driver: Driver; vm: number } {
  const driver = new Driver(options);
  const vm = driver.createVm();
  driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  return { driver, vm };
}

const leaf = (function_: number, change = {}) => ({
  ...addressSizes,
  function: function_,
  eax: 0,
  ...change,
});

/** INIT_VM with these arguments is refused, and then works with good ones. */
function refusedThenRetried(change: Partial<InitVmStruct>, errno: string, options?: DriverOptions) {
  const { driver, vm } = created(options);
  const cmd = command('KVM_TDX_INIT_VM');
  expect(driver.initVm(vm, change, cmd)).toBe(errno);
  expect(cmd.value.hwError).toBe(0n);
  expect(driver.machine.keySlots.used).toBe(0);
  expect(driver.initVm(vm)).toBe(0);
}

describe('KVM_TDX_INIT_VM', () => {
  test('another process is EIO', () => {
    const { driver, vm } = created();
    driver.mm = 2;
    expect(driver.initVm(vm)).toBe('EIO');
    driver.mm = 1;
    expect(driver.initVm(vm)).toBe(0);
  });

  test('a VM that is no TD is ENOTTY, before the command is read', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    const cmd = faulting(command('KVM_TDX_INIT_VM'), 'read');
    expect(driver.initVm(vm, {}, cmd)).toBe('ENOTTY');
  });

  test('an unreadable command is EFAULT', () => {
    const { driver, vm } = created();
    const cmd = faulting(command('KVM_TDX_INIT_VM', { hwError: 1n }), 'read');
    expect(driver.initVm(vm, {}, cmd)).toBe('EFAULT');
  });

  test('a hw_error that is not 0 is EINVAL and is not written back', () => {
    const { driver, vm } = created();
    const cmd = command('KVM_TDX_INIT_VM', { hwError: 7n });
    expect(driver.initVm(vm, {}, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).toBe(7n);
  });

  test('a second INIT_VM is EINVAL, before its flags and data are looked at', () => {
    const { driver, vm } = created();
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.initVm(vm)).toBe('EINVAL');
    expect(driver.machine.keySlots.used).toBe(1);
  });

  test('flags are EINVAL', () => {
    const { driver, vm } = created();
    expect(driver.initVm(vm, {}, command('KVM_TDX_INIT_VM', { flags: 1 }))).toBe('EINVAL');
  });

  const user = (parts: Partial<UserInitVm>): UserInitVm => ({
    readNent: () => 1,
    read: () => initVmStruct(),
    ...parts,
  });
  const initWith = (data: UserInitVm) => {
    const { driver, vm } = created();
    return driver.call(vm, { request: 'KVM_TDX_INIT_VM', cmd: command('KVM_TDX_INIT_VM'), data });
  };

  test('an unreadable nent is EFAULT', () => {
    expect(initWith(user({ readNent: () => undefined }))).toBe('EFAULT');
  });

  test('more than 256 entries are E2BIG, before they are copied', () => {
    expect(initWith(user({ readNent: () => 257, read: () => undefined }))).toBe('E2BIG');
    expect(initWith(user({ readNent: () => 256, read: () => undefined }))).toBe('EFAULT');
  });

  test('a copy that fails is EFAULT, or ENOMEM', () => {
    expect(initWith(user({ read: () => undefined }))).toBe('EFAULT');
    const { driver, vm } = created();
    driver.failAt('KVM_TDX_INIT_VM: copy the struct', 'ENOMEM');
    expect(driver.initVm(vm)).toBe('ENOMEM');
  });

  test('a reserved word that is not 0 is EINVAL', () => {
    refusedThenRetried({ reserved: [0n, 1n] }, 'EINVAL');
  });

  test('cpuid.padding, or a nent that changed between the reads, is EINVAL', () => {
    refusedThenRetried({ cpuid: { ...cpuidOf(addressSizes), padding: 1 } }, 'EINVAL');
    expect(initWith(user({ readNent: () => 2 }))).toBe('EINVAL');
  });

  test('no memory for TD_PARAMS is ENOMEM, before attributes are checked', () => {
    const { driver, vm } = created();
    driver.failAt('KVM_TDX_INIT_VM: allocate TD_PARAMS', 'ENOMEM');
    expect(driver.initVm(vm, { attributes: 1n })).toBe('ENOMEM');
  });

  test('attributes that KVM does not support are EINVAL', () => {
    refusedThenRetried({ attributes: 1n }, 'EINVAL');
  });

  test('XFAM bits that KVM does not support are EINVAL', () => {
    refusedThenRetried({ xfam: 1n << 14n }, 'EINVAL');
  });

  test('the guest address width must be there, be 48 or 52, and 52 needs 5-level EPT', () => {
    refusedThenRetried({ cpuid: cpuidOf() }, 'EINVAL');
    refusedThenRetried({ cpuid: cpuidOf({ ...addressSizes, eax: 47 << 16 }) }, 'EINVAL');
    const wide = cpuidOf({ ...addressSizes, eax: 52 << 16 });
    refusedThenRetried({ cpuid: wide }, 'EINVAL', { profile: 'small-client' });
    const { driver, vm } = created();
    expect(driver.initVm(vm, { cpuid: wide })).toBe(0);
  });

  test('HLE, RTM and WAITPKG are EINVAL', () => {
    for (const bits of [{ ebx: 1 << 4 }, { ebx: 1 << 11 }, { ecx: 1 << 5 }]) {
      refusedThenRetried({ cpuid: cpuidOf(addressSizes, leaf(7, bits)) }, 'EINVAL');
    }
  });

  test('an extra, unknown or duplicate entry is EINVAL', () => {
    refusedThenRetried({ cpuid: cpuidOf(addressSizes, leaf(0x8000_0001)) }, 'EINVAL');
    refusedThenRetried({ cpuid: cpuidOf(addressSizes, addressSizes) }, 'EINVAL');
  });

  test('an entry without the index flag matches every configurable subleaf', () => {
    // Leaf 4 has four: one entry counts four times and nent says two.
    refusedThenRetried({ cpuid: cpuidOf(addressSizes, leaf(4)) }, 'EINVAL');
    const { driver, vm } = created();
    const indexed = leaf(4, { flags: 1, index: 2 });
    expect(driver.initVm(vm, { cpuid: cpuidOf(addressSizes, indexed) })).toBe(0);
  });

  test('an empty key pool is ENOSPC and INIT_VM may be retried', () => {
    const driver = new Driver({ profile: 'one-slot' });
    const first = driver.initializedTd();
    const second = driver.createVm();
    expect(driver.initVm(second)).toBe('ENOSPC');
    driver.release(first);
    expect(driver.initVm(second)).toBe(0);
  });

  test('an empty key pool wins over a full cgroup', () => {
    const driver = new Driver({ profile: 'one-slot' });
    driver.initializedTd();
    driver.machine.setCgroupMax({ path: '/', max: 0 });
    expect(driver.initVm(driver.createVm())).toBe('ENOSPC');
  });

  test('a full cgroup, or a full ancestor, is EBUSY and gives the key ID back', () => {
    for (const path of ['/tds', '/tds/a']) {
      const { driver, vm } = created();
      driver.machine.setCgroupMax({ path, max: 0 });
      driver.cgroup = '/tds/a';
      expect(driver.initVm(vm)).toBe('EBUSY');
      expect(driver.machine.keySlots.used).toBe(0);
    }
  });

  test('the refused charge is taken back twice (read off the code)', () => {
    const { driver, vm } = created();
    driver.machine.setCgroupMax({ path: '/', max: 0 });
    const usage = () => driver.machine.snapshot().cgroups[0]?.usage;
    expect(driver.initVm(vm)).toBe('EBUSY');
    expect(usage()).toBe(-1);
    expect(driver.initVm(vm)).toBe(0);
    expect(usage()).toBe(0);
  });

  test('a kernel record without that quirk keeps the usage right', () => {
    const { upstream73 } = { upstream73: new Driver().machine.kernelAbi };
    const kernelAbi = { ...upstream73, quirks: { unchargesFailedCharge: false } };
    const { driver, vm } = created({ kernelAbi });
    driver.machine.setCgroupMax({ path: '/', max: 0 });
    expect(driver.initVm(vm)).toBe('EBUSY');
    expect(driver.initVm(vm)).toBe('EBUSY');
    expect(driver.machine.snapshot().cgroups[0]).toMatchObject({ usage: 0, maxEvents: 2 });
  });

  test('no memory for TDR and TDCS is ENOMEM, with the key ID back', () => {
    const { driver, vm } = created();
    driver.failAt('KVM_TDX_INIT_VM: allocate TDR and TDCS', 'ENOMEM');
    expect(driver.initVm(vm)).toBe('ENOMEM');
    driver.failAt('KVM_TDX_INIT_VM: allocate TDR and TDCS', undefined);
    expect(driver.initVm(vm)).toBe(0);
  });

  test('a machine that has really no pages left is ENOMEM', () => {
    const platform = { ...spr15.platform, memoryBytes: memoryWith(7) };
    const { driver, vm } = created({ profile: { ...spr15, platform } });
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.initVm(driver.createVm())).toBe('ENOMEM');
    expect(driver.machine.keySlots.used).toBe(1);
  });

  test('a package without an online CPU is EIO, and the VM is not bugged', () => {
    const platform = { ...spr15.platform, offlineCpus: 112 };
    const { driver, vm } = created({ profile: { ...spr15, platform } });
    expect(driver.initVm(vm)).toBe('EIO');
    expect(driver.machine.keySlots.used).toBe(0);
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(224);
  });

  const noEntropy = statusWord('TDX_RND_NO_ENTROPY');
  const other = statusWord('TDX_PAGE_METADATA_INCORRECT', 'RCX');

  test.each(['TDH.MNG.CREATE', 'TDH.MNG.ADDCX'] as const)(
    '%s without entropy is EAGAIN, and a retry works',
    (name) => {
      const { driver, vm } = created();
      driver.failLeaf(name, (nth) => (nth === 0 ? noEntropy : undefined));
      expect(driver.initVm(vm)).toBe('EAGAIN');
      expect(driver.machine.snapshot().hostPages.inUse).toBe(0);
      expect(driver.machine.keySlots.used).toBe(0);
      expect(driver.initVm(vm)).toBe(0);
    },
  );

  test.each(['TDH.MNG.CREATE', 'TDH.MNG.KEY.CONFIG', 'TDH.MNG.ADDCX', 'TDH.MNG.INIT'] as const)(
    '%s refused otherwise is EIO, bugs the VM and gives all back',
    (name) => {
      const { driver, vm } = created();
      driver.failLeaf(name, other);
      const cmd = command('KVM_TDX_INIT_VM');
      expect(driver.initVm(vm, {}, cmd)).toBe('EIO');
      expect(cmd.value.hwError).toBe(0n);
      const { keySlots, hostPages, vms } = driver.machine.snapshot();
      expect(keySlots).toMatchObject({ assigned: 0, leaked: 0, flushed: 0 });
      expect(hostPages).toEqual({ inUse: 0, leaked: 0 });
      expect(vms[0]?.bugged).toBe(true);
      driver.failLeaf(name, undefined);
      expect(driver.initVm(vm)).toBe('EIO');
    },
  );

  test('the key is configured once on each package', () => {
    const { driver, vm } = created();
    const calls = driver.record();
    driver.initVm(vm);
    expect(calls.filter((call) => call === 'TDH.MNG.KEY.CONFIG')).toHaveLength(2);
  });

  test('what the module refuses of TD_PARAMS is EINVAL with hw_error, and may be retried', () => {
    const { driver, vm } = created();
    driver.setTscKhz(vm, 50_000);
    const cmd = command('KVM_TDX_INIT_VM');
    expect(driver.initVm(vm, {}, cmd)).toBe('EINVAL');
    expect(cmd.value.hwError).toBe(statusWord('TDX_OPERAND_INVALID', 'TSC_FREQUENCY'));
    expect(driver.machine.snapshot()).toMatchObject({ hostPages: { inUse: 0, leaked: 0 } });
    driver.setTscKhz(vm, 0);
    expect(driver.initVm(vm)).toBe(0);
  });

  test('a refused INIT_VM whose key ID cannot be freed keeps it; the next attempt loses it', () => {
    const { driver, vm } = created();
    driver.failLeaf('TDH.MNG.INIT', statusWord('TDX_OPERAND_INVALID', 'XFAM'));
    driver.failLeaf('TDH.MNG.VPFLUSHDONE', statusWord('TDX_FLUSHVP_NOT_DONE'));
    expect(driver.initVm(vm)).toBe('EINVAL');
    expect(driver.machine.snapshot().keySlots).toMatchObject({ assigned: 1, leaked: 0 });
    driver.failLeaf('TDH.MNG.INIT', undefined);
    driver.failLeaf('TDH.MNG.VPFLUSHDONE', undefined);
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.machine.snapshot()).toMatchObject({
      keySlots: { assigned: 1, leaked: 1 },
      hostPages: { leaked: 7 },
    });
  });

  test('a fault on the write-back is EFAULT and undoes nothing', () => {
    const { driver, vm } = created();
    const cmd = () => faulting(command('KVM_TDX_INIT_VM'), 'write');
    expect(driver.initVm(vm, { attributes: 1n }, cmd())).toBe('EFAULT');
    expect(driver.machine.keySlots.used).toBe(0);
    expect(driver.initVm(vm, {}, cmd())).toBe('EFAULT');
    expect(driver.machine.keySlots.used).toBe(1);
    expect(driver.initVm(vm)).toBe('EINVAL');
  });

  test('takes one key ID and one charge', () => {
    const { driver, vm } = created();
    driver.cgroup = '/tds';
    expect(driver.initVm(vm)).toBe(0);
    const { keySlots, cgroups, vms } = driver.machine.snapshot();
    expect(keySlots).toMatchObject({ assigned: 1, free: 62 });
    expect(cgroups.map(({ path, usage }) => [path, usage])).toEqual([
      ['/tds', 1],
      ['/', 1],
    ]);
    expect(vms[0]?.td).toMatchObject({ state: 'INITIALIZED', lifecycle: 'KEYS_CONFIGURED' });
  });
});
