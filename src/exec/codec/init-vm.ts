/** `struct kvm_tdx_init_vm`, which is not the same in every kernel ABI (docs/kernels.md). */
import { xfamOfCpuid } from '../../abi/tdx/xfam.ts';
import type { InitVmStruct, KernelAbi, UserInitVm } from '../../simulator/index.ts';
import { decodeArray } from './arrays.ts';
import type { Place } from './place.ts';
import { fixedSizeInitVm, structs } from './structs.ts';

type InitVmShape = KernelAbi['initVm']['struct'];

const entry = structs.kvm_cpuid_entry2;

export function initVmInMemory(place: Place, shape: InitVmShape): UserInitVm {
  return shape === 'fixed size' ? new FixedSizeInitVm(place) : new SizedInitVm(place);
}

/** Linux 6.16 and later: as many entries as cpuid.nent says, and no max_vcpus. */
class SizedInitVm implements UserInitVm {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readNent(): number | undefined {
    return this.#place.readU32(structs.kvm_tdx_init_vm.fields.nent[0]);
  }

  read(nent: number): InitVmStruct | undefined {
    const { sizeBytes } = structs.kvm_tdx_init_vm;
    const bytes = this.#place.read(sizeBytes + nent * entry.sizeBytes);
    if (bytes === undefined) return undefined;
    const { nent: nentNow, padding, ...values } = structs.kvm_tdx_init_vm.decode(bytes);
    const entries = decodeArray(entry, bytes.subarray(sizeBytes), nent);
    return { ...values, cpuid: { nent: nentNow, padding, entries } };
  }
}

/**
 * Series v7 to v9, and what was proposed on them: 16384 bytes at once, in which whatever follows the
 * entries counts as reserved. There is no xfam: KVM takes it from the entries of CPUID leaf 0xd.
 */
class FixedSizeInitVm implements UserInitVm {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readNent(): number | undefined {
    return this.#place.readU32(fixedSizeInitVm.header.fields.nent[0]);
  }

  read(): InitVmStruct | undefined {
    const bytes = this.#place.read(fixedSizeInitVm.bytes);
    if (bytes === undefined) return undefined;
    const { nent, padding, ...values } = fixedSizeInitVm.header.decode(bytes);
    const behindHeader = bytes.subarray(fixedSizeInitVm.header.sizeBytes);
    // More entries than fit are refused for their number; there is nothing to decode then.
    const fits = nent * entry.sizeBytes <= behindHeader.length;
    const entries = fits ? decodeArray(entry, behindHeader, nent) : [];
    const reserved = fits ? words(behindHeader.subarray(nent * entry.sizeBytes)) : [];
    return { ...values, xfam: xfamOfCpuid(entries), reserved, cpuid: { nent, padding, entries } };
  }
}

function words(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}
