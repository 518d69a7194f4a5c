/** KVM_SET_MEMORY_ATTRIBUTES2 on a guest_memfd, and what follows from attributes of each file. */
import { describe, expect, test } from 'vitest';
import { StructValue } from '../../../../src/simulator/index.ts';
import { Driver, expectOk } from '../../drive.ts';
import {
  attributes2Struct,
  memRegion,
  page,
  ramGpa,
  ramPages,
  sourceAddress,
} from '../../structs.ts';

const kernelAbi = 'posted-inplace-conversion';
const newDriver = () => new Driver({ kernelAbi });
const shared = { attributes: 0n };
const flags = { mmap: 1n, initShared: 2n } as const;

function tdOnFile(driver: Driver, fileFlags: bigint) {
  const vm = driver.initializedTd();
  const vcpu = driver.newVcpu(vm, 0);
  const create = new StructValue({ size: BigInt(ramPages) * page, flags: fileFlags });
  const guestMemfd = driver.must(vm, { request: 'KVM_CREATE_GUEST_MEMFD', create });
  expectOk(driver.setSlot(vm, guestMemfd));
  return { vm, vcpu, guestMemfd };
}

describe('the kernel announces it', () => {
  test.each([
    ['KVM_CAP_MEMORY_ATTRIBUTES', [0, 0, 0]],
    ['KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES', [8, 0, 8]],
    ['KVM_CAP_GUEST_MEMFD_FLAGS', [3, 3, 3]],
  ] as const)('%s on /dev/kvm, a default VM and a TD', (capability, values) => {
    const driver = newDriver();
    const files = [driver.kvm, driver.createVm('KVM_X86_DEFAULT_VM'), driver.createVm()];
    expect(files.map((file) => driver.check(file, capability))).toEqual(values);
  });

  test('and a kernel with attributes of the VM does not, nor does its guest_memfd take the request', () => {
    const driver = new Driver();
    expect(driver.check(driver.createVm(), 'KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES')).toBe(0);
    expect(driver.setAttributes2(driver.builtTd().guestMemfd)).toBe('ENOTTY');
  });
});

describe('pages of a guest_memfd', () => {
  test('are private at first, and shared at first where the file was made so', () => {
    const driver = newDriver();
    const { vcpu } = tdOnFile(driver, flags.mmap);
    expect(driver.initMemRegion(vcpu)).toBe(0);
    const other = tdOnFile(driver, flags.mmap | flags.initShared);
    expect(driver.initMemRegion(other.vcpu)).toBe('EINVAL');
    expect(driver.refusedBy).toBe('init-mem-region.attribute-shared');
    expectOk(driver.setAttributes2(other.guestMemfd));
    expect(driver.initMemRegion(other.vcpu)).toBe(0);
  });

  test('leave the TD when they become shared, and can be added again when they are private', () => {
    const driver = newDriver();
    const { guestMemfd, vcpus } = driver.builtTd();
    const [vcpu = 0] = vcpus;
    const held = () => driver.machine.snapshot().pages.REG;
    expectOk(driver.initMemRegion(vcpu, memRegion({ nrPages: 4n })));
    expectOk(driver.setAttributes2(guestMemfd, { ...shared, offset: page, size: 2n * page }));
    expect(held()).toBe(2);
    const again = memRegion({ gpa: ramGpa + page, nrPages: 2n });
    expect(driver.initMemRegion(vcpu, again)).toBe('EINVAL');
    expectOk(driver.setAttributes2(guestMemfd, { offset: page, size: 2n * page }));
    expect(driver.initMemRegion(vcpu, again)).toBe(0);
    expect(held()).toBe(4);
  });

  test('are converted for a dead VM and for another process', () => {
    const driver = newDriver();
    const { guestMemfd } = driver.builtTd();
    driver.mm = 2;
    expect(driver.setAttributes2(guestMemfd, shared)).toBe(0);
  });

  test('where one is in use, none is converted, and error_offset says where it was', () => {
    const driver = newDriver();
    const { guestMemfd, vcpus } = driver.builtTd();
    expectOk(driver.setAttributes2(guestMemfd, { ...shared, offset: page }));
    driver.failAt('KVM_SET_MEMORY_ATTRIBUTES2: find a page in use', 'EAGAIN');
    const attributes = attributes2Struct({ offset: page });
    const request = { request: 'KVM_SET_MEMORY_ATTRIBUTES2', attributes } as const;
    expect(driver.call(guestMemfd, request)).toBe('EAGAIN');
    expect(attributes.read()?.errorOffset).toBe(page);
    const region = memRegion({ gpa: ramGpa + page });
    expect(driver.initMemRegion(vcpus[0] ?? 0, region)).toBe('EINVAL');
    // What is private already is not looked at.
    expect(driver.setAttributes2(guestMemfd)).toBe(0);
  });
});

describe('KVM_TDX_INIT_MEM_REGION with source_addr 0', () => {
  const mrtdOf = (sourceByte: number, fileFlags: bigint, sourceAddr: bigint) => {
    const driver = newDriver();
    driver.sourceByte = sourceByte;
    const { vm, vcpu } = tdOnFile(driver, fileFlags);
    const region = memRegion({ sourceAddr, nrPages: 2n });
    expectOk(driver.initMemRegion(vcpu, region, 1));
    expectOk(driver.finalizeVm(vm));
    return { region, mrtd: Buffer.from(driver.machine.mrtd(vm) ?? []).toString('hex') };
  };

  test('adds what user space has written to the file', () => {
    const inPlace = mrtdOf(7, flags.mmap, 0n);
    expect(inPlace.mrtd).toBe(mrtdOf(7, flags.mmap, sourceAddress).mrtd);
    expect(inPlace.region.read()).toMatchObject({ sourceAddr: 0n, nrPages: 0n });
  });

  test('adds zeros where nobody could have written', () => {
    expect(mrtdOf(7, 0n, 0n).mrtd).toBe(mrtdOf(0, 0n, sourceAddress).mrtd);
  });

  test('is refused where the VM has the attributes', () => {
    const driver = new Driver();
    const [vcpu = 0] = driver.builtTd().vcpus;
    expect(driver.initMemRegion(vcpu, memRegion({ sourceAddr: 0n }))).toBe('EINVAL');
  });
});
