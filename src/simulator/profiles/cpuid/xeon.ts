/**
 * CPUID of a made-up Xeon: what KVM_GET_SUPPORTED_CPUID answers on a simulated host. The feature
 * bits are those that the TDX module requires (verify_value in cpuid_configurations.c) and the
 * public ones of Sapphire Rapids and later; the numbers of caches and cores are made up.
 */
import { ADDRESS_SIZES_LEAF, withGuestAddressBits } from '../../../abi/kvm/cpuid.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../../abi/kvm/structs.ts';

export interface XeonCpuid {
  /** CPUID(1).EAX holds family, model and stepping. */
  readonly signature: number;
  readonly physicalAddressBits: number;
  /** The width is 52 with 5-level EPT, else 48. */
  readonly guestAddressBits: 48 | 52;
  readonly tscKhz: number;
  readonly coresPerPackage: number;
  readonly threadsPerCore: number;
}

type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];

const crystalHz = 25_000_000;

export function xeonCpuid(cpu: XeonCpuid): readonly CpuidEntry[] {
  const threads = cpu.coresPerPackage * cpu.threadsPerCore;
  const cacheCores = (powerOfTwo(cpu.coresPerPackage) - 1) << 26;
  return [
    plain(0x0, [0x23, 0x756e6547, 0x6c65746e, 0x49656e69]),
    plain(0x1, [
      cpu.signature,
      0x00800800 | (Math.min(threads, 255) << 16),
      0x7ffefbff,
      0xbfebfbff,
    ]),
    plain(0x2, [0x00feff01, 0xf0, 0, 0]),
    plain(0x3, [0, 0, 0, 0]),
    indexed(0x4, 0, [cacheCores | 0x4121, 0x02c0003f, 0x3f, 0x0]),
    indexed(0x4, 1, [cacheCores | 0x4122, 0x01c0003f, 0x3f, 0x0]),
    indexed(0x4, 2, [cacheCores | 0x4143, 0x03c0003f, 0x7ff, 0x0]),
    indexed(0x4, 3, [cacheCores | 0x1fc163, 0x0380003f, 0x1bfff, 0x4]),
    indexed(0x4, 4, [0, 0, 0, 0]),
    plain(0x5, [0x40, 0x40, 0x3, 0x2020]),
    plain(0x6, [0x4, 0, 0, 0]),
    indexed(0x7, 0, [0x2, 0xf1bf27eb, 0x1b415f6e, 0xffdd4432]),
    indexed(0x7, 1, [0x00001c30, 0, 0, 0x4000]),
    indexed(0x7, 2, [0, 0, 0, 0x3f]),
    plain(0x9, [0, 0, 0, 0]),
    plain(0xa, [0x07300805, 0, 0x7, 0x8603]),
    indexed(0xb, 0, [1, cpu.threadsPerCore, 0x100, 0]),
    indexed(0xb, 1, [8, threads, 0x201, 0]),
    indexed(0xb, 2, [0, 0, 0x2, 0]),
    indexed(0xd, 0, [0x602e7, 0xa88, 0x2b00, 0]),
    indexed(0xd, 1, [0x1f, 0x240, 0x1800, 0]),
    indexed(0xd, 2, [0x100, 0x240, 0, 0]),
    indexed(0xd, 5, [0x40, 0x440, 0, 0]),
    indexed(0xd, 6, [0x200, 0x480, 0, 0]),
    indexed(0xd, 7, [0x400, 0x680, 0, 0]),
    indexed(0xd, 9, [0x8, 0xa80, 0, 0]),
    indexed(0xd, 11, [0x10, 0, 1, 0]),
    indexed(0xd, 12, [0x18, 0, 1, 0]),
    indexed(0xd, 17, [0x40, 0xac0, 2, 0]),
    indexed(0xd, 18, [0x2000, 0xb00, 6, 0]),
    plain(0x12, [0, 0, 0, 0]),
    indexed(0x14, 0, [0, 0, 0, 0]),
    plain(0x15, [1, Math.floor((cpu.tscKhz * 1000) / crystalHz), crystalHz, 0]),
    plain(0x16, [cpu.tscKhz / 1000, 3800, 100, 0]),
    indexed(0x18, 0, [8, 0, 0, 0]),
    plain(0x19, [0, 0, 0, 0]),
    plain(0x1c, [0x4000000b, 0x7, 0x7, 0]),
    indexed(0x1d, 0, [1, 0, 0, 0]),
    indexed(0x1d, 1, [0x04002000, 0x00080040, 0x10, 0]),
    indexed(0x1e, 0, [0, 0x4010, 0, 0]),
    indexed(0x1f, 0, [1, cpu.threadsPerCore, 0x100, 0]),
    indexed(0x1f, 1, [8, threads, 0x201, 0]),
    indexed(0x1f, 2, [0, 0, 0x2, 0]),
    indexed(0x23, 0, [0xf, 0, 0, 0]),
    // KVM's own leaves: `KVMKVMKVM` and its paravirtual features.
    plain(0x40000000, [0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d]),
    plain(0x40000001, [0x01007efb, 0, 0, 0]),
    plain(0x80000000, [ADDRESS_SIZES_LEAF, 0, 0, 0]),
    plain(0x80000001, [0, 0, 0x121, 0x2c100800]),
    plain(0x80000002, [0x756d6953, 0x6574616c, 0x65582064, 0x00006e6f]),
    plain(0x80000003, [0, 0, 0, 0]),
    plain(0x80000004, [0, 0, 0, 0]),
    plain(0x80000005, [0, 0, 0, 0]),
    plain(0x80000006, [0, 0, 0x08008040, 0]),
    plain(0x80000007, [0, 0, 0, 0x100]),
    plain(ADDRESS_SIZES_LEAF, [
      withGuestAddressBits((57 << 8) | cpu.physicalAddressBits, cpu.guestAddressBits),
      0x200,
      0,
      0,
    ]),
  ];
}

function plain(leaf: number, registers: Registers): CpuidEntry {
  return entry(leaf, 0, 0, registers);
}

function indexed(leaf: number, index: number, registers: Registers): CpuidEntry {
  return entry(leaf, index, KVM_CPUID_FLAG_SIGNIFCANT_INDEX, registers);
}

function entry(
  leaf: number,
  index: number,
  flags: number,
  [eax, ebx, ecx, edx]: Registers,
): CpuidEntry {
  return {
    function: leaf,
    index,
    flags,
    eax: eax >>> 0,
    ebx: ebx >>> 0,
    ecx: ecx >>> 0,
    edx: edx >>> 0,
  };
}

function powerOfTwo(atLeast: number): number {
  return Math.min(64, 2 ** Math.ceil(Math.log2(atLeast)));
}
