import { describe, expect, test } from 'vitest';
import { type MemoryRegionStruct, StructValue } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { faulting, memRegion, page, ramGpa, ramPages, slotRegion } from '../../structs.ts';

const set = (driver: Driver, vm: number, change: Partial<MemoryRegionStruct> = {}) =>
  driver.call(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region: slotRegion(change) });

describe('KVM_SET_USER_MEMORY_REGION2', () => {
  test('an unreadable struct is EFAULT, no memory ENOMEM', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const unreadable = faulting(slotRegion(), 'read');
    expect(driver.call(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region: unreadable })).toBe(
      'EFAULT',
    );
    driver.failAt('KVM_SET_USER_MEMORY_REGION: allocate', 'ENOMEM');
    expect(set(driver, vm)).toBe('ENOMEM');
  });

  test('the older ioctl knows no guest_memfd; a default VM knows KVM_MEM_READONLY', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    const old = (change: Partial<MemoryRegionStruct>) =>
      driver.call(vm, { request: 'KVM_SET_USER_MEMORY_REGION', region: slotRegion(change) });
    expect(old({ flags: 4 })).toBe('EINVAL');
    expect(old({ flags: 2 })).toBe(0);
    expect(set(driver, vm, { slot: 1 << 16 })).toBe(0);
  });

  test('overlapping guest addresses are EEXIST; the same slot may change its flags or move', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    expect(set(driver, vm)).toBe(0);
    expect(set(driver, vm, { slot: 1, guestPhysAddr: ramGpa + page })).toBe('EEXIST');
    expect(set(driver, vm, { slot: 1, guestPhysAddr: ramGpa + 4n * page })).toBe(0);
    expect(set(driver, vm, { flags: 1 })).toBe(0);
    expect(set(driver, vm, { memorySize: page })).toBe('EINVAL');
    expect(set(driver, vm, { guestPhysAddr: ramGpa + 4n * page })).toBe('EEXIST');
    expect(set(driver, vm, { guestPhysAddr: 0n })).toBe(0);
    expect(set(driver, vm, { memorySize: 0n })).toBe(0);
  });

  test('after INIT_VM a slot whose last page has the shared bit is EINVAL', () => {
    const driver = new Driver();
    expect(set(driver, driver.createVm(), { guestPhysAddr: 1n << 47n })).toBe(0);
    expect(set(driver, driver.initializedTd(), { guestPhysAddr: 1n << 47n })).toBe('EINVAL');
  });

  test("binding: bad fd EBADF, another kind of file EINVAL, another VM's EINVAL, too small EINVAL", () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const bind = (guestMemfd: number | undefined, change = {}) =>
      set(driver, vm, { flags: 4, guestMemfd, ...change });
    expect(bind(undefined)).toBe('EBADF');
    expect(bind(driver.kvm)).toBe('EINVAL');
    expect(bind(driver.createGuestMemfd(driver.createVm()) as number)).toBe('EINVAL');
    const guestMemfd = driver.createGuestMemfd(vm, 4) as number;
    expect(bind(guestMemfd, { guestMemfdOffset: page })).toBe('EINVAL');
    expect(bind(guestMemfd)).toBe(0);
  });

  test('binding: pages of a file that another slot has are EEXIST', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const guestMemfd = driver.createGuestMemfd(vm, 8) as number;
    const bind = (slot: number, guestMemfdOffset: bigint) =>
      set(driver, vm, {
        slot,
        flags: 4,
        guestMemfd,
        guestMemfdOffset,
        guestPhysAddr: BigInt(slot) * 16n * page,
      });
    expect(bind(1, 0n)).toBe(0);
    expect(bind(2, 3n * page)).toBe('EEXIST');
    expect(bind(2, 4n * page)).toBe(0);
  });

  test('a private slot can be deleted, not changed', () => {
    const driver = new Driver();
    const { vm, guestMemfd } = driver.builtTd();
    expect(driver.setSlot(vm, guestMemfd)).toBe('EINVAL');
    expect(driver.setSlot(vm, undefined)).toBe('EINVAL');
    expect(set(driver, vm, { memorySize: 0n })).toBe(0);
    expect(driver.setSlot(vm, guestMemfd)).toBe(0);
  });

  test.each([
    {
      when: 'before KVM_TDX_FINALIZE_VM, without a new epoch',
      finalised: false,
      leaves: ['TDH.MEM.RANGE.BLOCK', 'TDH.MEM.PAGE.REMOVE', 'TDH.PHYMEM.PAGE.WBINVD'],
    },
    {
      when: 'after it, with one for each',
      finalised: true,
      leaves: [
        'TDH.MEM.RANGE.BLOCK',
        'TDH.MEM.TRACK',
        'TDH.MEM.PAGE.REMOVE',
        'TDH.PHYMEM.PAGE.WBINVD',
      ],
    },
  ])('deleting a slot takes its pages out of the TD one by one: $when', ({ finalised, leaves }) => {
    const driver = new Driver();
    const { vm, vcpus } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }));
    if (finalised) driver.finalizeVm(vm);
    const calls = driver.record();
    set(driver, vm, { memorySize: 0n });
    expect(calls.slice(0, 2 * leaves.length)).toEqual([...leaves, ...leaves]);
    expect(driver.machine.snapshot()).toMatchObject({
      pages: { REG: 0 },
      vms: [{ bugged: false }],
    });
  });
});

describe('KVM_CREATE_GUEST_MEMFD', () => {
  const create = (driver: Driver, vm: number, size: bigint, flags = 0n) =>
    driver.call(vm, {
      request: 'KVM_CREATE_GUEST_MEMFD',
      create: new StructValue({ size, flags }),
    });

  test('unreadable EFAULT; unknown flags, no size, negative size, unaligned size EINVAL', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    const unreadable = faulting(new StructValue({ size: page, flags: 0n }), 'read');
    expect(driver.call(vm, { request: 'KVM_CREATE_GUEST_MEMFD', create: unreadable })).toBe(
      'EFAULT',
    );
    expect(create(driver, vm, page, 4n)).toBe('EINVAL');
    for (const size of [0n, 1n << 63n, 100n]) expect(create(driver, vm, size)).toBe('EINVAL');
  });

  test('a TD takes MMAP and not INIT_SHARED; a default VM takes both', () => {
    const driver = new Driver();
    expect(create(driver, driver.createVm(), page, 2n)).toBe('EINVAL');
    expect(create(driver, driver.createVm(), page, 1n)).toBeTypeOf('number');
    const ordinary = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(create(driver, ordinary, page, 3n)).toBeTypeOf('number');
  });

  test('no fd left is EMFILE, and takes no reference', () => {
    const driver = new Driver();
    const vm = driver.createVm();
    driver.failAt('KVM_CREATE_GUEST_MEMFD: install the fd', 'EMFILE');
    expect(create(driver, vm, page)).toBe('EMFILE');
    expect(driver.machine.snapshot().vms[0]?.references).toBe(1);
  });
});

describe('KVM_SET_MEMORY_ATTRIBUTES', () => {
  test('a default VM has no attribute to set', () => {
    const driver = new Driver();
    const vm = driver.createVm('KVM_X86_DEFAULT_VM');
    expect(driver.setPrivate(vm, 0n, 1)).toBe('EINVAL');
    expect(driver.setPrivate(vm, 0n, 1, false)).toBe(0);
  });

  test('making a page shared takes it out of the TD', () => {
    const driver = new Driver();
    const { vm, vcpus } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: BigInt(ramPages) }));
    driver.setPrivate(vm, ramGpa + page, 3, false);
    expect(driver.machine.snapshot().vms[0]?.td?.privatePages).toBe(ramPages - 3);
  });
});
