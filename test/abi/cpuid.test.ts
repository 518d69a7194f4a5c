import { describe, expect, test } from 'vitest';
import {
  forbiddenFeatures,
  guestAddressBits,
  guestAddressWidths,
  hasX2apic,
  physicalAddressBits,
  withApicId,
  withGuestAddressBits,
  withHypervisor,
  withoutForbidden,
} from '../../src/abi/kvm/cpuid.ts';
import { xfamOfCpuid } from '../../src/abi/tdx/xfam.ts';

const blank = { index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };
const addressSizes = { ...blank, function: 0x8000_0008, eax: 0x34_39_2e };

describe('the address sizes of CPUID', () => {
  test('are the physical and the guest physical width', () => {
    expect(physicalAddressBits([addressSizes])).toBe(46);
    expect(guestAddressBits([addressSizes])).toBe(52);
  });

  test('take another guest physical width and keep the rest', () => {
    expect(withGuestAddressBits(addressSizes.eax, 48)).toBe(0x30_39_2e);
  });

  test.each([
    [52, [48, 52]],
    [48, [48]],
    [0, [48]],
  ])('of %d bits let a TD have %j', (bits, widths) => {
    const eax = withGuestAddressBits(addressSizes.eax, bits);
    expect(guestAddressWidths([{ ...addressSizes, eax }])).toEqual(widths);
  });

  test('are not known where the leaf is missing', () => {
    expect(guestAddressBits([])).toBeUndefined();
    expect(guestAddressWidths([])).toBeUndefined();
    expect(physicalAddressBits([])).toBeUndefined();
  });
});

describe('features that KVM gives to no TD', () => {
  const leaf7 = { ...blank, function: 7, flags: 1, ebx: 0xffff_ffff, ecx: 0xffff_ffff };

  test('are named where an entry has them, in subleaf 0 alone', () => {
    expect(forbiddenFeatures(leaf7)).toEqual(['HLE', 'RTM', 'WAITPKG']);
    expect(forbiddenFeatures({ ...leaf7, index: 1 })).toEqual([]);
  });

  test('are cleared, and nothing else is', () => {
    const cleared = withoutForbidden(leaf7);
    expect(forbiddenFeatures(cleared)).toEqual([]);
    expect(cleared).toEqual({ ...leaf7, ebx: 0xffff_f7ef, ecx: 0xffff_ffdf });
  });
});

test('the CPUID of a vCPU that is given an APIC id has x2APIC', () => {
  const leaf1 = { ...blank, function: 1 };
  expect(hasX2apic([leaf1])).toBe(false);
  expect(hasX2apic(withApicId([leaf1], 3))).toBe(true);
});

test('XFAM of CPUID is XCR0 in EDX:EAX of 0xd.0 and IA32_XSS in EDX:ECX of 0xd.1', () => {
  const user = { ...blank, function: 0xd, index: 0, flags: 1, eax: 0x602e7, edx: 0x1, ecx: 0x2b00 };
  const supervisor = { ...user, index: 1, eax: 0x1f, ecx: 0x1800, edx: 0x2 };
  expect(xfamOfCpuid([user, supervisor])).toBe(0x3_0006_1ae7n);
  expect(xfamOfCpuid([])).toBe(0n);
});

test('the CPUID of an ordinary VM says that there is a hypervisor, in leaf 1 alone', () => {
  const leaves = [
    { ...blank, function: 1, ecx: 1 },
    { ...blank, function: 2 },
  ];
  expect(withHypervisor(leaves)).toEqual([{ ...leaves[0], ecx: 0x8000_0001 }, leaves[1]]);
});
