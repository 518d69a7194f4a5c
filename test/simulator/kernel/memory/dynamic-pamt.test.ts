/** Dynamic PAMT: which host has it, where memory is taken, and that all of it comes back. */
import { describe, expect, test } from 'vitest';
import { type HostProfile, hostProfiles } from '../../../../src/simulator/index.ts';
import { other } from '../../abi/conformance/statuses.ts';
import { Driver, expectOk, memoryWith } from '../../drive.ts';
import { memRegion, ramGpa } from '../../structs.ts';

const kernelAbi = 'posted-dynamic-pamt';
const capable: HostProfile = hostProfiles['gnr-2.0'];

const newDriver = (profile: HostProfile = capable) => new Driver({ kernelAbi, profile });
const withMemory = (pages: number): HostProfile => ({
  ...capable,
  platform: { ...capable.platform, memoryBytes: memoryWith(pages, 'dynamic') },
});
const isOn = ({ machine: { bringUp } }: Driver) =>
  bringUp.outcome === 'tdx' && bringUp.tdx.dynamicPamt;
const hostPages = ({ machine }: Driver) => machine.snapshot().hostPages;
const modulePages = ({ machine }: Driver) =>
  Object.values(machine.snapshot().pages).reduce((sum, count) => sum + count, 0);

/** The pages that are set aside for a vCPU that maps, and the pairs of the first 2 MiB. */
const setAside = 10;
const pair = 2;

describe('dynamic PAMT is on', () => {
  test('where kernel and module have it', () => {
    expect(isOn(newDriver())).toBe(true);
    expect(isOn(new Driver({ profile: capable }))).toBe(false);
    expect(isOn(newDriver(hostProfiles['spr-1.5']))).toBe(false);
  });

  test('up to 48 bits of addresses that are no key IDs', () => {
    const withKeyIds = (tdxPrivate: number) => ({
      ...capable,
      platform: { ...capable.platform, keyIds: { mktme: 0, tdxPrivate } },
    });
    // 52 bits, of which 8 key IDs take 3 and 16 take 4.
    expect(isOn(newDriver(withKeyIds(7)))).toBe(false);
    expect(isOn(newDriver(withKeyIds(15)))).toBe(true);
  });
});

describe('memory', () => {
  test('is taken with the first page of 2 MiB, and set aside by a vCPU that maps', () => {
    const driver = newDriver();
    const { vcpus } = driver.builtTd();
    expect(hostPages(driver).inUse).toBe(modulePages(driver) + pair);
    expectOk(driver.initMemRegion(vcpus[0] ?? 0, memRegion({ nrPages: 3n })));
    expect(hostPages(driver).inUse).toBe(modulePages(driver) + pair + setAside);
  });

  test('comes back whole, however many regions were in use', () => {
    const driver = newDriver();
    const { vm, vcpus, guestMemfd } = driver.builtTd(100);
    expectOk(driver.initMemRegion(vcpus[0] ?? 0, memRegion({ nrPages: 8n })));
    expect(hostPages(driver).inUse).toBe(modulePages(driver) + 2 * pair + setAside);
    driver.release(guestMemfd, ...vcpus, vm);
    expect(hostPages(driver)).toEqual({ inUse: 0, leaked: 0 });
  });

  test('of a page that becomes shared stays for the others of its region', () => {
    const driver = newDriver();
    const { vm, vcpus } = driver.builtTd();
    expectOk(driver.initMemRegion(vcpus[0] ?? 0));
    const leaves = driver.record();
    expectOk(driver.setPrivate(vm, ramGpa, 1, false));
    expect(leaves).not.toContain('TDH.PHYMEM.PAMT.REMOVE');
    expect(hostPages(driver).leaked).toBe(0);
  });

  test.each([
    ['the TD but not for its metadata', 10],
    ['the TD and half of its metadata', 10 + 1],
  ])('that suffices for %s is ENOMEM at KVM_TDX_INIT_VM, and nothing stays', (_, pages) => {
    const driver = newDriver(withMemory(pages));
    const vm = driver.createTd();
    expect(driver.initVm(vm)).toBe('ENOMEM');
    expect(driver.refusedBy).toBe('init-vm.no-memory-for-td');
    expect(hostPages(driver)).toEqual({ inUse: 0, leaked: 0 });
    expect(driver.machine.keySlots.used).toBe(0);
  });
});

describe('a module that refuses', () => {
  test('the pair is ENOMEM where pages are allocated for it', () => {
    const driver = newDriver();
    driver.failLeaf('TDH.PHYMEM.PAMT.ADD', other);
    expect(driver.initVm(driver.createTd())).toBe('ENOMEM');
    expect(hostPages(driver)).toEqual({ inUse: 0, leaked: 0 });
  });

  test('to give it back keeps it for good', () => {
    const driver = newDriver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.failLeaf('TDH.PHYMEM.PAMT.REMOVE', other);
    driver.release(guestMemfd, ...vcpus, vm);
    expect(hostPages(driver)).toEqual({ inUse: 0, leaked: pair });
  });

  test('to give a page back keeps the metadata of its region too', () => {
    const driver = newDriver();
    const { vm, vcpus, guestMemfd } = driver.builtTd();
    driver.failLeaf('TDH.PHYMEM.PAGE.RECLAIM', (nth) => (nth === 0 ? other : undefined));
    driver.release(guestMemfd, ...vcpus, vm);
    expect(hostPages(driver)).toMatchObject({ inUse: 0 });
    expect(hostPages(driver).leaked).toBeGreaterThan(pair);
  });
});
