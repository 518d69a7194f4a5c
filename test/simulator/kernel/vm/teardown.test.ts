import { describe, expect, test } from 'vitest';
import type { SeamcallName } from '../../../../src/abi/tdx/seamcalls.ts';
import { statusWord } from '../../../../src/abi/tdx/status.ts';
import { Driver } from '../../drive.ts';
import { memRegion } from '../../structs.ts';

const nothingHeld = {
  keySlots: { free: 63, assigned: 0, flushed: 0, leaked: 0 },
  pages: { TDR: 0, TDCX: 0, TDVPR: 0, EPT: 0, REG: 0 },
  hostPages: { inUse: 0, leaked: 0 },
  vms: [],
};

describe('teardown', () => {
  test('the VM lives until its VM fd, every vCPU fd and every guest_memfd are closed, in any order', () => {
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
    ];
    for (const order of orders) {
      const driver = new Driver();
      const { vm, vcpus, guestMemfd } = driver.builtTd(2);
      driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 4n }));
      const handles = [vm, ...vcpus, guestMemfd];
      for (const [i, which] of order.entries()) {
        expect(driver.machine.keySlots.used).toBe(1);
        expect(driver.machine.snapshot().vms[0]?.references).toBe(4 - i);
        driver.release(handles[which] as number);
      }
      expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
      expect(driver.machine.keySlots.used).toBe(0);
    }
  });

  test('the key ID is free before any page of a vCPU or the TD comes back', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd(2);
    driver.initMemRegion(vcpus[0] as number);
    driver.release(guestMemfd, ...vcpus);
    const calls = driver.record();
    driver.release(vm);
    const reclaims = (count: number) =>
      Array.from({ length: count }, () => 'TDH.PHYMEM.PAGE.RECLAIM');
    expect(calls).toEqual([
      'TDH.VP.FLUSH',
      'TDH.VP.FLUSH',
      'TDH.MNG.VPFLUSHDONE',
      'TDH.PHYMEM.CACHE.WB',
      'TDH.PHYMEM.CACHE.WB',
      'TDH.MNG.KEY.FREEID',
      // 2 vCPUs of 6 pages, 3 S-EPT tables, 6 TDCS pages, and the TDR last
      ...reclaims(12 + 3 + 6 + 1),
      'TDH.PHYMEM.PAGE.WBINVD',
      'release',
    ]);
  });

  test('closing a guest_memfd zaps page by page, also when it is the last reference', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 3n }));
    driver.release(vm, ...vcpus);
    const calls = driver.record();
    driver.release(guestMemfd);
    expect(calls.filter((call) => call === 'TDH.MEM.PAGE.REMOVE')).toHaveLength(3);
    expect(calls.indexOf('TDH.MEM.PAGE.REMOVE')).toBeLessThan(calls.indexOf('TDH.MNG.VPFLUSHDONE'));
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('a TD that never got beyond CREATE_VM holds nothing', () => {
    const driver = new Driver();
    const calls = driver.record();
    driver.release(driver.createVm());
    expect(calls).toEqual(['KVM_CREATE_VM', 'release']);
  });

  test('a bugged VM gives everything back as well', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.failLeaf('TDH.MR.FINALIZE', statusWord('TDX_TD_FATAL'));
    driver.finalizeVm(vm);
    driver.release(vm, ...vcpus, guestMemfd);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test.each<[SeamcallName, bigint]>([
    ['TDH.MNG.VPFLUSHDONE', statusWord('TDX_FLUSHVP_NOT_DONE')],
    ['TDH.MNG.VPFLUSHDONE', statusWord('TDX_LIFECYCLE_STATE_INCORRECT')],
    ['TDH.MNG.KEY.FREEID', statusWord('TDX_WBCACHE_NOT_COMPLETE')],
    ['TDH.PHYMEM.CACHE.WB', statusWord('TDX_OPERAND_BUSY', 'WBCACHE')],
  ])('%s answering %d leaks the key ID and every control page', (leaf, status) => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.failLeaf(leaf, status);
    driver.release(vm, ...vcpus, guestMemfd);
    driver.failLeaf(leaf, undefined);
    const { keySlots, hostPages } = driver.machine.snapshot();
    expect(keySlots).toMatchObject({ total: 63, free: 62, assigned: 0, leaked: 1 });
    expect(hostPages).toEqual({ inUse: 0, leaked: 6 + 7 });
    // The next TD gets another key ID.
    expect(driver.machine.snapshot().keyIds[0]?.state).toBe('leaked');
    driver.initializedTd();
    expect(driver.machine.snapshot().keyIds[1]?.state).toBe('assigned');
  });

  test('an interrupted cache write-back is resumed', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    const interrupted = statusWord('TDX_INTERRUPTED_RESUMABLE');
    driver.failLeaf('TDH.PHYMEM.CACHE.WB', (nth) => (nth < 5 ? interrupted : undefined));
    driver.release(vm, ...vcpus, guestMemfd);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('a page that the module keeps is leaked and never used again', () => {
    const driver = new Driver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }));
    const refused = statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
    driver.failLeaf('TDH.MEM.PAGE.REMOVE', (nth) => (nth === 0 ? refused : undefined));
    driver.release(guestMemfd);
    expect(driver.machine.snapshot().vms[0]?.bugged).toBe(true);
    driver.release(vm, ...vcpus);
    // Its TDR cannot come back while the page has not.
    expect(driver.machine.snapshot()).toMatchObject({
      hostPages: { inUse: 0, leaked: 2 },
      pages: { REG: 1, TDR: 1 },
    });
  });
});

describe('KVM_TDX_TERMINATE_VM', () => {
  test('does not exist in Linux 7.3: EINVAL, and nothing happens', () => {
    const driver = new Driver();
    const { vm } = driver.runnableTd();
    expect(driver.terminateVm(vm)).toBe('EINVAL');
    expect(driver.check(vm, 'KVM_CAP_MAX_VCPUS')).toBe(224);
  });

  test('as posted: the VM is dead and its key ID free at once; the pages follow at the closes', () => {
    const driver = new Driver({ kernelAbi: 'posted-terminate-vm' });
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }));
    driver.finalizeVm(vm);
    expect(driver.terminateVm(vm)).toBe(0);
    expect(driver.machine.keySlots.used).toBe(0);
    expect(driver.machine.snapshot().pages.REG).toBe(2);
    expect(driver.terminateVm(vm)).toBe('EIO');
    const calls = driver.record();
    driver.release(guestMemfd);
    expect(calls).toEqual(['TDH.PHYMEM.PAGE.RECLAIM', 'TDH.PHYMEM.PAGE.RECLAIM', 'release']);
    driver.release(vm, ...vcpus);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('as posted: a vCPU that runs is EBUSY, and the key ID stays', async () => {
    const driver = new Driver({ kernelAbi: 'posted-terminate-vm' });
    const { vm, vcpus } = driver.runnableTd();
    const running = driver.run(vcpus[0] as number);
    expect(driver.terminateVm(vm)).toBe('EBUSY');
    expect(driver.machine.keySlots.used).toBe(1);
    running.cancel();
    await running.result;
    expect(driver.terminateVm(vm)).toBe(0);
  });

  test('as posted: a key ID that cannot be freed yet is tried again at the last close', () => {
    const driver = new Driver({ kernelAbi: 'posted-terminate-vm' });
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    const busy = statusWord('TDX_FLUSHVP_NOT_DONE');
    driver.failLeaf('TDH.MNG.VPFLUSHDONE', (nth) => (nth === 0 ? busy : undefined));
    expect(driver.terminateVm(vm)).toBe(0);
    expect(driver.machine.snapshot().keySlots.assigned).toBe(1);
    driver.release(vm, ...vcpus, guestMemfd);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('as posted, before INIT_VM: 0, and the VM is dead', () => {
    const driver = new Driver({ kernelAbi: 'posted-terminate-vm' });
    const vm = driver.createVm();
    expect(driver.terminateVm(vm)).toBe(0);
    expect(driver.initVm(vm)).toBe('EIO');
  });
});
