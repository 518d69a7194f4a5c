import { describe, expect, test } from 'vitest';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { CpuidValue, type UserCpuid } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { command, faulting } from '../../structs.ts';

describe('KVM_CREATE_VCPU', () => {
  test('an id at KVM_MAX_VCPU_IDS is EINVAL, before the VM is looked at', () => {
    const driver = new Driver();
    expect(driver.createVcpu(driver.createVm(), 4096)).toBe('EINVAL');
    expect(driver.createVcpu(driver.createVm(), 4095)).toBe('EIO');
  });

  test('one vCPU more than the limit of the VM is EINVAL, even with an id that exists', () => {
    const driver = new Driver({ profile: 'small-client' });
    const vm = driver.initializedTd();
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(8);
    for (let id = 0; id < 8; id++) expect(driver.createVcpu(vm, id)).toBeTypeOf('number');
    expect(driver.createVcpu(vm, 8)).toBe('EINVAL');
    expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
  });

  test('an id that exists is EEXIST in every state, and closing its fd does not free it', () => {
    const driver = new Driver();
    const { vm, vcpus } = driver.builtTd();
    expect(driver.createVcpu(vm, 0)).toBe('EEXIST');
    driver.release(...vcpus);
    expect(driver.createVcpu(vm, 0)).toBe('EEXIST');
    expect(driver.finalizeVm(vm)).toBe(0);
    expect(driver.createVcpu(vm, 0)).toBe('EEXIST');
  });

  test('the first attempt fixes max_vcpu_ids, also when it fails', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    expect(driver.createVcpu(vm, 0)).toBe('EIO');
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4096n)).toBe(0);
  });

  test('an id at the enabled MAX_VCPU_ID is EINVAL', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    driver.cap(vm, 'KVM_CAP_MAX_VCPU_ID', 4n);
    expect(driver.createVcpu(vm, 4)).toBe('EINVAL');
    expect(driver.createVcpu(vm, 3)).toBeTypeOf('number');
  });

  test('no memory is ENOMEM, before the state of the TD is looked at', () => {
    const driver = new Driver();
    driver.failAt('KVM_CREATE_VCPU: allocate', 'ENOMEM');
    expect(driver.createVcpu(driver.createVm(), 0)).toBe('ENOMEM');
  });

  test('before INIT_VM and after FINALIZE it is EIO, before the irqchip is looked at', () => {
    const driver = new Driver();
    expect(driver.createVcpu(driver.createVm(), 0)).toBe('EIO');
    expect(driver.createVcpu(driver.runnableTd().vm, 1)).toBe('EIO');
  });

  test('without a split irqchip it is EINVAL', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.createVcpu(vm, 0)).toBe('EINVAL');
    expect(driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n)).toBe(0);
    expect(driver.createVcpu(vm, 0)).toBeTypeOf('number');
  });

  test.each(['EMFILE', 'ENFILE', 'ENOMEM'] as const)('%s leaves no vCPU behind', (errno) => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    driver.failAt('KVM_CREATE_VCPU: install the fd', errno);
    expect(driver.createVcpu(vm, 0)).toBe(errno);
    expect(driver.machine.snapshot().vms[0]?.vcpus).toEqual([]);
  });

  test('takes no page of the module, and one reference of the VM', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const before = driver.machine.snapshot();
    driver.createVcpu(vm, 0);
    const after = driver.machine.snapshot();
    expect(after.hostPages).toEqual(before.hostPages);
    expect(after.vms[0]?.references).toBe(2);
  });

  test('a VM of the default type takes vCPUs with any irqchip, sparse ids, up to KVM_MAX_VCPUS', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(driver.createVcpu(vm, 4000)).toBeTypeOf('number');
    expect(driver.createVcpu(vm, 4000)).toBe('EEXIST');
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(1024);
  });
});

describe('KVM_TDX_INIT_VCPU', () => {
  function withVcpu() {
    const driver = new Driver();
    const vm = driver.initializedTd();
    const vcpu = driver.createVcpu(vm, 0) as number;
    return { driver, vm, vcpu };
  }

  test('a vCPU of another type is EINVAL, before the command is read', () => {
    const driver = new Driver();
    const vcpu = driver.createVcpu(driver.createVm('KVM_X86_DEFAULT_VM'), 0) as number;
    expect(driver.initVcpu(vcpu, faulting(command('KVM_TDX_INIT_VCPU'), 'read'))).toBe('EINVAL');
  });

  test('an unreadable command is EFAULT, a hw_error is EINVAL', () => {
    const { driver, vcpu } = withVcpu();
    expect(driver.initVcpu(vcpu, faulting(command('KVM_TDX_INIT_VCPU'), 'read'))).toBe('EFAULT');
    expect(driver.initVcpu(vcpu, command('KVM_TDX_INIT_VCPU', { hwError: 1n }))).toBe('EINVAL');
  });

  test('a fatal signal while it waits for the locks is EINTR', async () => {
    const { driver, vcpu } = withVcpu();
    const other = driver.occupySibling(vcpu);
    expect(driver.initVcpu(vcpu)).toBe('EINTR');
    other.cancel();
    await other.result;
    driver.setCpuid2(vcpu);
    expect(driver.initVcpu(vcpu)).toBe(0);
  });

  test('after FINALIZE it is EINVAL', () => {
    const driver = new Driver();
    const { vm } = driver.builtTd();
    const late = driver.createVcpu(vm, 1) as number;
    driver.setCpuid2(late);
    expect(driver.finalizeVm(vm)).toBe(0);
    expect(driver.initVcpu(late)).toBe('EINVAL');
  });

  test('flags are EINVAL', () => {
    const { driver, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    expect(driver.initVcpu(vcpu, command('KVM_TDX_INIT_VCPU', { flags: 1 }))).toBe('EINVAL');
  });

  test('a second one is EINVAL', () => {
    const { driver, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    expect(driver.initVcpu(vcpu)).toBe(0);
    expect(driver.initVcpu(vcpu)).toBe('EINVAL');
  });

  test('KVM_SET_CPUID2 with x2APIC must have come first', () => {
    const { driver, vcpu } = withVcpu();
    expect(driver.initVcpu(vcpu)).toBe('EINVAL');
    driver.setCpuid2(vcpu, []);
    expect(driver.initVcpu(vcpu)).toBe('EINVAL');
    driver.setCpuid2(vcpu);
    expect(driver.initVcpu(vcpu)).toBe(0);
  });

  test('no memory is ENOMEM, the x2APIC base stays, and it may be retried', () => {
    const { driver, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    driver.failAt('KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX', 'ENOMEM');
    expect(driver.initVcpu(vcpu)).toBe('ENOMEM');
    driver.failAt('KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX', undefined);
    // With the base set, the CPUID is not asked again.
    driver.setCpuid2(vcpu, []);
    expect(driver.initVcpu(vcpu)).toBe(0);
  });

  test.each([
    ['TDH.VP.CREATE', 0],
    ['TDH.VP.ADDCX', 1],
    ['TDH.VP.INIT', 6],
  ] as const)('%s refused is EIO and bugs the VM; %i pages wait for the teardown', (leaf, kept) => {
    const { driver, vm, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    const before = driver.machine.snapshot().hostPages.inUse;
    driver.failLeaf(leaf, statusWord('TDX_VCPU_STATE_INCORRECT'));
    const cmd = command('KVM_TDX_INIT_VCPU');
    expect(driver.initVcpu(vcpu, cmd)).toBe('EIO');
    expect(cmd.value.hwError).toBe(0n);
    expect(driver.machine.snapshot().hostPages.inUse - before).toBe(kept);
    expect(driver.createVcpu(vm, 1)).toBe('EIO');
    driver.release(vcpu, vm);
    expect(driver.machine.snapshot().hostPages).toEqual({ inUse: 0, leaked: 0 });
  });

  test('an id that is not unique for the module cannot come from KVM', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    for (const id of [7, 3, 200]) driver.newVcpu(vm, id);
    expect(driver.machine.snapshot().vms[0]?.vcpus.map((vcpu) => vcpu.id)).toEqual([7, 3, 200]);
  });

  test('a TDVPS write that fails bugs the VM, and the call still succeeds', () => {
    const { driver, vm, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    driver.failLeaf('TDH.VP.WR', statusWord('TDX_OPERAND_BUSY', 'TDVPR'));
    expect(driver.initVcpu(vcpu)).toBe(0);
    expect(driver.machine.snapshot().vms[0]).toMatchObject({
      bugged: true,
      vcpus: [{ initialized: true }],
    });
    expect(driver.finalizeVm(vm)).toBe('EIO');
  });

  test('takes 1 TDVPR and 5 TDCX pages', () => {
    const { driver, vcpu } = withVcpu();
    driver.setCpuid2(vcpu);
    const before = driver.machine.snapshot().pages;
    expect(driver.initVcpu(vcpu)).toBe(0);
    const after = driver.machine.snapshot().pages;
    expect([after.TDVPR - before.TDVPR, after.TDCX - before.TDCX]).toEqual([1, 5]);
  });
});

describe('KVM_TDX_GET_CPUID', () => {
  function withVcpu() {
    const driver = new Driver();
    const vm = driver.initializedTd();
    return { driver, vm, vcpu: driver.createVcpu(vm, 0) as number };
  }

  test('needs no INIT_VCPU, and gives the configured address width', () => {
    const { driver, vcpu } = withVcpu();
    const data = new CpuidValue(256);
    expect(driver.getCpuid(vcpu, data)).toBe(0);
    const sizes = data.entries.find((entry) => entry.function === 0x8000_0008);
    expect(((sizes?.eax ?? 0) >>> 16) & 0xff).toBe(48);
    expect(data.nent).toBe(data.entries.length);
  });

  test('the command is read twice, and may fault or change in between', () => {
    const { driver, vcpu } = withVcpu();
    const call = (cmd: ReturnType<typeof faulting>) =>
      driver.call(vcpu, {
        request: 'KVM_TDX_GET_CPUID',
        cmd: cmd as never,
        data: new CpuidValue(256),
      });
    expect(call(faulting(command('KVM_TDX_GET_CPUID'), 'second read'))).toBe('EFAULT');
    let reads = 0;
    const changing = {
      read: () => command('KVM_TDX_GET_CPUID', { hwError: reads++ === 0 ? 0n : 1n }).value,
      write: () => true,
    };
    expect(call(changing)).toBe('EINVAL');
  });

  test('KVM_TDX_GET_CPUID ignores its flags', () => {
    const { driver, vcpu } = withVcpu();
    const cmd = command('KVM_TDX_GET_CPUID', { flags: 3 });
    const data = new CpuidValue(256);
    expect(driver.call(vcpu, { request: 'KVM_TDX_GET_CPUID', cmd, data })).toBe(0);
  });

  const user = (parts: Partial<UserCpuid>): UserCpuid => {
    const value = new CpuidValue(256);
    return {
      readHeader: () => value.readHeader(),
      readEntries: (nent) => value.readEntries(nent),
      writeHeader: (header) => value.writeHeader(header),
      writeEntries: (entries) => value.writeEntries(entries),
      ...parts,
    };
  };
  const get = (parts: Partial<UserCpuid>) => {
    const { driver, vcpu } = withVcpu();
    return driver.getCpuid(vcpu, user(parts) as CpuidValue);
  };

  test('a fault on the header or the entries is EFAULT', () => {
    expect(get({ readHeader: () => undefined })).toBe('EFAULT');
    expect(get({ writeHeader: () => false })).toBe('EFAULT');
    expect(get({ writeEntries: () => false })).toBe('EFAULT');
  });

  test('a header that cannot be written is EFAULT before too small a buffer is E2BIG', () => {
    const small = { readHeader: () => ({ nent: 0, padding: 0 }) };
    expect(get({ ...small, writeHeader: () => false })).toBe('EFAULT');
  });

  test('leaf 0 that the module does not give is EIO', () => {
    const { driver, vcpu } = withVcpu();
    driver.failLeaf('TDH.MNG.RD', statusWord('TDX_METADATA_FIELD_NOT_READABLE'));
    expect(driver.getCpuid(vcpu)).toBe('EIO');
    driver.failLeaf('TDH.MNG.RD', undefined);
    expect(driver.getCpuid(vcpu)).toBe(0);
  });

  test('too small a buffer is E2BIG with the needed count and no entries', () => {
    const { driver, vcpu } = withVcpu();
    const small = new CpuidValue(3);
    expect(driver.getCpuid(vcpu, small)).toBe('E2BIG');
    expect(small.entries).toEqual([]);
    const fits = new CpuidValue(small.nent);
    expect(driver.getCpuid(vcpu, fits)).toBe(0);
    expect(fits.entries).toHaveLength(small.nent);
  });
});
