import { describe, expect, test } from 'vitest';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { Driver } from '../../drive.ts';
import {
  command,
  faulting,
  memRegion,
  page,
  ramGpa,
  ramPages,
  sourceAddress,
} from '../../structs.ts';

function built() {
  const driver = new Driver();
  const { vm, vcpus, guestMemfd } = driver.builtTd();
  const vcpu = vcpus[0] as number;
  return { driver, vm, vcpu, guestMemfd };
}

const measure = 1;
const pagesIn = (driver: Driver) => driver.machine.snapshot().vms[0]?.td?.privatePages;

describe('KVM_TDX_INIT_MEM_REGION', () => {
  test('after FINALIZE it is EINVAL', () => {
    const { driver, vm, vcpu } = built();
    driver.finalizeVm(vm);
    expect(driver.initMemRegion(vcpu)).toBe('EINVAL');
  });

  test("on a vCPU that is not INIT'ed it is EINVAL", () => {
    const { driver, vm } = built();
    expect(driver.initMemRegion(driver.createVcpu(vm, 1) as number)).toBe('EINVAL');
  });

  test('flags other than bit 0 are EINVAL, before the region is read', () => {
    const { driver, vcpu } = built();
    expect(driver.initMemRegion(vcpu, faulting(memRegion(), 'read'), 2)).toBe('EINVAL');
  });

  test('an unreadable region is EFAULT', () => {
    const { driver, vcpu } = built();
    expect(driver.initMemRegion(vcpu, faulting(memRegion(), 'read'))).toBe('EFAULT');
  });

  test.each([
    ['source 0', { sourceAddr: 0n }],
    ['source unaligned', { sourceAddr: sourceAddress + 1n }],
    ['gpa unaligned', { gpa: ramGpa + 0x10n }],
    ['no pages', { nrPages: 0n }],
    ['more pages than addresses', { nrPages: 1n << 52n }],
    ['a range that wraps', { gpa: (1n << 64n) - page, nrPages: 2n }],
    ['first byte shared', { gpa: 1n << 47n }],
    ['last byte shared', { gpa: (1n << 47n) - page, nrPages: 2n }],
  ])('%s is EINVAL, and the region is not written back', (_what, change) => {
    const { driver, vcpu } = built();
    const region = memRegion(change);
    const before = region.value;
    expect(driver.initMemRegion(vcpu, region)).toBe('EINVAL');
    expect(region.value).toBe(before);
  });

  test('a signal ends the loop with EINTR; what is done stays, and it can be continued', () => {
    const { driver, vcpu } = built();
    driver.signalBeforePage = 3;
    const region = memRegion({ nrPages: 8n });
    expect(driver.initMemRegion(vcpu, region)).toBe('EINTR');
    expect(region.value).toEqual({
      sourceAddr: sourceAddress + 3n * page,
      gpa: ramGpa + 3n * page,
      nrPages: 5n,
    });
    expect(pagesIn(driver)).toBe(3);
    driver.signalBeforePage = undefined;
    expect(driver.initMemRegion(vcpu, region)).toBe(0);
    expect(pagesIn(driver)).toBe(8);
  });

  test('a page without a guest_memfd slot is EINVAL, after the pages before it', () => {
    const { driver, vcpu } = built();
    const region = memRegion({ nrPages: BigInt(ramPages + 1) });
    expect(driver.initMemRegion(vcpu, region)).toBe('EINVAL');
    expect(region.value.nrPages).toBe(1n);
  });

  test('a closed guest_memfd is EFAULT', () => {
    const { driver, vcpu, guestMemfd } = built();
    driver.release(guestMemfd);
    expect(driver.initMemRegion(vcpu)).toBe('EFAULT');
  });

  test('an unreadable source page is EFAULT, one that cannot be had ENOMEM', () => {
    const { driver, vcpu } = built();
    driver.unreadable.add(sourceAddress + page);
    const region = memRegion({ nrPages: 3n });
    expect(driver.initMemRegion(vcpu, region)).toBe('EFAULT');
    expect(region.value.nrPages).toBe(2n);
    driver.failAt('KVM_TDX_INIT_MEM_REGION: get the source page', 'ENOMEM');
    expect(driver.initMemRegion(vcpu, region)).toBe('ENOMEM');
  });

  test.each(['ENOMEM', 'EHWPOISON', 'EIO'] as const)('a folio that fails is %s', (errno) => {
    const { driver, vcpu } = built();
    driver.failAt('KVM_TDX_INIT_MEM_REGION: get the guest_memfd page', errno);
    expect(driver.initMemRegion(vcpu)).toBe(errno);
  });

  test('a page that is not private is EINVAL', () => {
    const { driver, vm, vcpu } = built();
    driver.setPrivate(vm, ramGpa, 1, false);
    expect(driver.initMemRegion(vcpu)).toBe('EINVAL');
    driver.setPrivate(vm, ramGpa, 1);
    expect(driver.initMemRegion(vcpu)).toBe(0);
  });

  test('a page that is there already is EIO, and the VM is not bugged', () => {
    const { driver, vcpu } = built();
    expect(driver.initMemRegion(vcpu)).toBe(0);
    const region = memRegion();
    expect(driver.initMemRegion(vcpu, region)).toBe('EIO');
    expect(region.value.nrPages).toBe(1n);
    expect(driver.initMemRegion(vcpu, memRegion({ gpa: ramGpa + page }))).toBe(0);
  });

  test.each(['TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.ADD'] as const)(
    '%s that is busy is tried again, until a signal comes',
    (leaf) => {
      const busy = statusWord('TDX_OPERAND_BUSY', 'SEPT_TREE');
      const patient = built();
      patient.driver.failLeaf(leaf, (nth) => (nth < 3 ? busy : undefined));
      expect(patient.driver.initMemRegion(patient.vcpu)).toBe(0);
      const { driver, vcpu } = built();
      driver.failLeaf(leaf, (nth) => {
        if (nth === 2) driver.signal = 'ordinary';
        return busy;
      });
      expect(driver.initMemRegion(vcpu)).toBe('EINTR');
    },
  );

  test.each(['TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.ADD', 'TDH.MR.EXTEND'] as const)(
    '%s refused otherwise is EIO and bugs the VM',
    (leaf) => {
      const { driver, vm, vcpu } = built();
      driver.failLeaf(leaf, statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX'));
      expect(driver.initMemRegion(vcpu, memRegion(), measure)).toBe('EIO');
      expect(driver.finalizeVm(vm)).toBe('EIO');
    },
  );

  test('a fault on the write-back is EFAULT, and the pages stay', () => {
    const { driver, vcpu } = built();
    expect(driver.initMemRegion(vcpu, faulting(memRegion({ nrPages: 2n }), 'write'))).toBe(
      'EFAULT',
    );
    expect(pagesIn(driver)).toBe(2);
  });

  test('the region comes back with no pages left and its addresses advanced', () => {
    const { driver, vcpu } = built();
    const region = memRegion({ nrPages: 2n });
    expect(driver.initMemRegion(vcpu, region, measure)).toBe(0);
    expect(region.value).toEqual({
      sourceAddr: sourceAddress + 2n * page,
      gpa: ramGpa + 2n * page,
      nrPages: 0n,
    });
  });

  test('each measured page is one PAGE.ADD and 16 MR.EXTEND', () => {
    const { driver, vcpu } = built();
    driver.initMemRegion(vcpu);
    const calls = driver.record();
    driver.initMemRegion(vcpu, memRegion({ gpa: ramGpa + page, nrPages: 2n }), measure);
    expect(calls).toEqual([
      ...Array.from({ length: 2 }, () => [
        'TDH.MEM.PAGE.ADD',
        ...Array.from({ length: 16 }, () => 'TDH.MR.EXTEND'),
      ]).flat(),
      'KVM_TDX_INIT_MEM_REGION',
    ]);
  });

  test('the first page of a region makes one S-EPT table for each level below the root', () => {
    const { driver, vcpu } = built();
    driver.initMemRegion(vcpu);
    expect(driver.machine.snapshot().pages.EPT).toBe(3);
  });
});

describe('MRTD', () => {
  const hex = (driver: Driver, vm: number) =>
    Buffer.from(driver.machine.mrtd(vm) ?? []).toString('hex');

  test('of a TD without pages is SHA-384 of nothing', () => {
    const driver = new Driver();
    const { vm } = driver.runnableTd();
    expect(hex(driver, vm)).toBe(
      '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b',
    );
  });

  function tdWithPageAt(gpa: bigint, flags: number): string {
    const { driver, vm, vcpu } = built();
    const guestMemfd = driver.createGuestMemfd(vm) as number;
    driver.setSlot(vm, guestMemfd, 1, 0n);
    driver.setPrivate(vm, 0n, 2);
    expect(driver.initMemRegion(vcpu, memRegion({ gpa }), flags)).toBe(0);
    expect(driver.finalizeVm(vm)).toBe(0);
    return hex(driver, vm);
  }

  test('of one PAGE.ADD at GPA 0', () => {
    expect(tdWithPageAt(0n, 0)).toBe(
      '8f3e9a8aca6784eab874f7aa4dda5d49104a88047f1f86695ef2a88f5691a90e34aac48ce45ffa1f5a23c7d62980d570',
    );
  });

  test('of one zero page at 0x1000, measured', () => {
    expect(tdWithPageAt(0x1000n, 1)).toBe(
      'ca76d5541328afef8bc9364261c515aebef90412ebc56ca0c2260ec531a14462cfc0c11de61d84292ddf8ca871da1ff1',
    );
  });

  test('is not there before FINALIZE, and measures what was added, not what the source holds later', () => {
    const { driver, vm, vcpu } = built();
    driver.sourceByte = 1;
    driver.initMemRegion(vcpu, memRegion(), measure);
    expect(driver.machine.mrtd(vm)).toBeUndefined();
    driver.sourceByte = 2;
    driver.finalizeVm(vm);
    const other = built();
    other.driver.sourceByte = 2;
    other.driver.initMemRegion(other.vcpu, memRegion(), measure);
    other.driver.finalizeVm(other.vm);
    expect(hex(driver, vm)).not.toBe(hex(other.driver, other.vm));
  });
});

describe('KVM_TDX_FINALIZE_VM', () => {
  test('before INIT_VM, and a second time, it is EINVAL', () => {
    const driver = new Driver();
    expect(driver.finalizeVm(driver.createVm())).toBe('EINVAL');
    const { vm } = driver.runnableTd();
    expect(driver.finalizeVm(vm)).toBe('EINVAL');
  });

  test('a fatal signal while it waits is EINTR, and the command is not written back', () => {
    const { driver, vm } = built();
    driver.occupySibling(vm);
    expect(driver.finalizeVm(vm, faulting(command('KVM_TDX_FINALIZE_VM'), 'write'))).toBe('EINTR');
  });

  test('a busy TD is EBUSY with the status, and may be tried again', () => {
    const { driver, vm } = built();
    const busy = statusWord('TDX_OPERAND_BUSY', 'TDR');
    driver.failLeaf('TDH.MR.FINALIZE', (nth) => (nth === 0 ? busy : undefined));
    const cmd = command('KVM_TDX_FINALIZE_VM');
    expect(driver.finalizeVm(vm, cmd)).toBe('EBUSY');
    expect(cmd.value.hwError).toBe(busy);
    expect(driver.finalizeVm(vm)).toBe(0);
  });

  test('any other refusal is EIO with the status, and the VM is dead', () => {
    const driver = new Driver();
    // The module wants a vCPU, which KVM does not ask for.
    const vm = driver.initializedTd();
    const cmd = command('KVM_TDX_FINALIZE_VM');
    expect(driver.finalizeVm(vm, cmd)).toBe('EIO');
    expect(cmd.value.hwError).toBe(statusWord('TDX_NO_VCPUS'));
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe('EIO');
  });

  test('a fault on the write-back is EFAULT, and the TD is runnable', () => {
    const { driver, vm } = built();
    expect(driver.finalizeVm(vm, faulting(command('KVM_TDX_FINALIZE_VM'), 'write'))).toBe('EFAULT');
    expect(driver.machine.snapshot().vms[0]?.td).toMatchObject({
      state: 'RUNNABLE',
      opState: 'RUNNABLE',
    });
  });

  test('looks at no flags, and needs no memory', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    driver.newVcpu(vm, 0);
    expect(driver.finalizeVm(vm, command('KVM_TDX_FINALIZE_VM', { flags: 9 }))).toBe(0);
  });
});
