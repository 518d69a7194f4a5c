/** `struct kvm_cpuid2`, alone and at the end of `struct kvm_tdx_capabilities`. */
import type { UserCapabilities, UserCpuid } from '../../simulator/index.ts';
import { encodeArray } from './arrays.ts';
import type { Place } from './place.ts';
import { structs } from './structs.ts';

const header = structs.kvm_cpuid2;
const entry = structs.kvm_cpuid_entry2;
const padding = structs.kvm_cpuid_entry2_padding;

export function cpuidInMemory(place: Place): UserCpuid {
  return {
    readHeader: () => place.readStruct(header),
    readEntries: (nent) => place.readArray(entry, nent, header.sizeBytes),
    hasCleanPadding: (nent) =>
      place
        .readArray(padding, nent, header.sizeBytes)
        ?.every(({ words }) => words.every((word) => word === 0)) ?? false,
    writeHeader: (values) => place.write(header.encode(values)),
    writeEntries: (entries) => place.write(encodeArray(entry, entries), header.sizeBytes),
  };
}

export function capabilitiesInMemory(place: Place): UserCapabilities {
  const layout = structs.kvm_tdx_capabilities;
  return {
    readNent: () => place.readU32(layout.fields.nent[0]),
    // The kernel writes the struct as a whole: what it has no value for becomes 0.
    write: ({ cpuid, ...values }) =>
      place.write(
        Buffer.concat([
          layout.encode({ ...values, nent: cpuid.length }),
          encodeArray(entry, cpuid),
        ]),
      ),
  };
}
