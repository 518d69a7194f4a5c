/** The answers are also those of /dev/kvm (Linux 6.18). */
import { describe, expect, test } from 'vitest';
import { StructValue } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { page, sourceAddress } from '../../structs.ts';
import { BytesValue, faultyAt } from '../../values.ts';

const pages = 101;

function logged(options: bigint) {
  const driver = new Driver();
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  driver.cap(vm, 'KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2', options);
  const region = new StructValue({
    slot: 0,
    flags: 1,
    guestPhysAddr: 0n,
    memorySize: BigInt(pages) * page,
    userspaceAddr: sourceAddress,
    guestMemfdOffset: 0n,
    guestMemfd: undefined,
  });
  driver.must(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region });
  const get = (slot = 0, bitmap = new BytesValue(new Uint8Array(64).fill(0xaa))) => {
    const log = new StructValue({ slot });
    const answer = driver.call(vm, { request: 'KVM_GET_DIRTY_LOG', log, bitmap });
    return answer === 0 ? bitmap.bytes : answer;
  };
  const clear = (firstPage: bigint, numPages: number) =>
    driver.call(vm, {
      request: 'KVM_CLEAR_DIRTY_LOG',
      log: new StructValue({ slot: 0, numPages, firstPage }),
      bitmap: new BytesValue(new Uint8Array(64).fill(0xff)),
    });
  return { driver, vm, get, clear };
}

describe('dirty logs', () => {
  test('nothing is dirty, and whole words of 64 pages are written', () => {
    const bitmap = logged(0n).get() as Uint8Array;
    expect(bitmap.subarray(0, 16).every((byte) => byte === 0)).toBe(true);
    expect(bitmap[16]).toBe(0xaa);
  });

  test('with INITIALLY_SET every page is, until it is cleared', () => {
    const { get, clear } = logged(3n);
    const before = get() as Uint8Array;
    expect([...before.subarray(11, 17)]).toEqual([0xff, 0x1f, 0, 0, 0, 0xaa]);
    expect(clear(64n, 37)).toBe(0);
    const after = get() as Uint8Array;
    expect([after[7], after[8], after[12]]).toEqual([0xff, 0, 0]);
  });

  test('a slot without a log is ENOENT, one that cannot be EINVAL; a log that cannot be written', () => {
    const { get } = logged(0n);
    expect([get(1), get(40_000), get(2 << 16)]).toEqual(['ENOENT', 'EINVAL', 'EINVAL']);
    expect(get(0, faultyAt(new BytesValue(64), 'write'))).toBe('EFAULT');
  });

  test('a VM with dirty rings has none', () => {
    const { driver, vm, get } = logged(0n);
    expect(driver.cap(vm, 'KVM_CAP_DIRTY_LOG_RING', 16384n)).toBe(0);
    expect(get()).toBe('ENXIO');
  });

  test('changing a slot keeps its log, switching it off ends it', () => {
    const { driver, vm, get } = logged(3n);
    const change = (flags: number, guestPhysAddr: bigint) =>
      driver.call(vm, {
        request: 'KVM_SET_USER_MEMORY_REGION2',
        region: new StructValue({
          slot: 0,
          flags,
          guestPhysAddr,
          memorySize: BigInt(pages) * page,
          userspaceAddr: sourceAddress,
          guestMemfdOffset: 0n,
          guestMemfd: undefined,
        }),
      });
    expect(change(1, 0x100_0000n)).toBe(0);
    expect((get() as Uint8Array)[0]).toBe(0xff);
    expect(change(0, 0x100_0000n)).toBe(0);
    expect(get()).toBe('ENOENT');
  });
});
