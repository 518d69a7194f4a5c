/** `struct kvm_tdx_init_vm`, which is not the same in every kernel ABI (docs/kernels.md). */
import { xfamOfCpuid } from '../../abi/tdx/xfam.ts';
import type { KernelAbi, UserInitVm } from '../../simulator/index.ts';
import { decodeArray } from './arrays.ts';
import type { Place } from './place.ts';
import { fixedSizeInitVm, structs } from './structs.ts';

const entry = structs.kvm_cpuid_entry2;

export function initVmInMemory(place: Place, shape: KernelAbi['initVm']['struct']): UserInitVm {
  return shape === 'fixed size' ? fixedSize(place) : sized(place);
}

/** Linux 6.16 and later take as many entries as cpuid.nent says, and have no max_vcpus. */
function sized(place: Place): UserInitVm {
  const layout = structs.kvm_tdx_init_vm;
  return {
    readNent: () => place.readU32(layout.fields.nent[0]),
    read: (nent) => {
      const bytes = place.read(layout.sizeBytes + nent * entry.sizeBytes);
      if (bytes === undefined) return undefined;
      const { nent: nentNow, padding, ...values } = layout.decode(bytes);
      const entries = decodeArray(entry, bytes.subarray(layout.sizeBytes), nent);
      return { ...values, cpuid: { nent: nentNow, padding, entries } };
    },
  };
}

/**
 * Series v7 to v9, and what was proposed on them, copy 16384 bytes at once, in which whatever follows the
 * entries counts as reserved. There is no xfam: KVM takes it from the entries of CPUID leaf 0xd.
 */
function fixedSize(place: Place): UserInitVm {
  const { header } = fixedSizeInitVm;
  return {
    readNent: () => place.readU32(header.fields.nent[0]),
    read: () => {
      const bytes = place.read(fixedSizeInitVm.bytes);
      if (bytes === undefined) return undefined;
      const { nent, padding, ...values } = header.decode(bytes);
      const behindHeader = bytes.subarray(header.sizeBytes);
      // More entries than fit are refused for their number, so then there is nothing to decode.
      const fits = nent * entry.sizeBytes <= behindHeader.length;
      const entries = fits ? decodeArray(entry, behindHeader, nent) : [];
      const reserved = fits ? words(behindHeader.subarray(nent * entry.sizeBytes)) : [];
      return { ...values, xfam: xfamOfCpuid(entries), reserved, cpuid: { nent, padding, entries } };
    },
  };
}

function words(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}
