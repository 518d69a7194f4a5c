/** Lists, values and filters of MSRs. */
import { msr } from '../../../../src/abi/kvm/msrs.ts';
import type { Handle, Request } from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { emptyBitmaps, faultyAt, MsrListValue, MsrsValue, msrFilter } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

type File = (driver: Driver) => Handle;

const devKvm: File = (driver) => driver.kvm;
const aVcpu: File = (driver) => driver.plainVcpu();

const asked =
  (file: File, request: () => Request): Call =>
  (driver) =>
    driver.call(file(driver), request());

function indexList(
  request: 'KVM_GET_MSR_INDEX_LIST' | 'KVM_GET_MSR_FEATURE_INDEX_LIST',
): Conformance {
  // The count that is needed goes back into the list: each call has its own.
  const withRoom = (room: number) => (): Request => ({ request, list: new MsrListValue(room) });
  return {
    handle: devKvm,
    request: withRoom(1000),
    cases: {
      'msr-index-list.too-small': asked(devKvm, withRoom(0)),
      'msr-index-list.indices-unwritable': asked(devKvm, () => ({
        request,
        list: faultyAt(new MsrListValue(1000), 'writeIndices'),
      })),
    },
  };
}

function values(request: 'KVM_GET_MSRS' | 'KVM_SET_MSRS', handle: File): Conformance {
  const of =
    (count = 1) =>
    (): Request => ({ request, msrs: new MsrsValue([[msr.IA32_UCODE_REV]], count) });
  return {
    handle,
    request: of(),
    cases: {
      'msrs.too-many': asked(handle, of(256)),
      'msrs.entries-unreadable': asked(handle, () => ({
        request,
        msrs: faultyAt(new MsrsValue([[msr.IA32_UCODE_REV]]), 'readEntries'),
      })),
    },
  };
}

type Range = Parameters<typeof msrFilter>[1];

const filtering = (flags: number, range?: Partial<Range>, bitmaps = emptyBitmaps): Request => ({
  request: 'KVM_X86_SET_MSR_FILTER',
  filter: msrFilter(flags, ...(range ? [{ flags: 1, nmsrs: 64, base: 0x10, ...range }] : [])),
  bitmaps,
});

const filter =
  (...struct: Parameters<typeof filtering>): Call =>
  (driver) =>
    driver.call(driver.createTd(), filtering(...struct));

export const msrs: ConformanceTable = {
  KVM_GET_MSR_INDEX_LIST: indexList('KVM_GET_MSR_INDEX_LIST'),
  KVM_GET_MSR_FEATURE_INDEX_LIST: indexList('KVM_GET_MSR_FEATURE_INDEX_LIST'),
  'KVM_GET_MSRS on /dev/kvm': values('KVM_GET_MSRS', devKvm),
  KVM_GET_MSRS: values('KVM_GET_MSRS', aVcpu),
  KVM_SET_MSRS: values('KVM_SET_MSRS', aVcpu),
  KVM_X86_SET_MSR_FILTER: {
    handle: (driver) => driver.createTd(),
    request: () => filtering(0, {}),
    cases: {
      'msr-filter.flags': filter(2, {}),
      'msr-filter.denies-all': filter(1),
      'msr-filter.range-flags': [
        { title: 'neither of both', provoke: filter(0, { flags: 0 }) },
        { title: 'another one', provoke: filter(0, { flags: 4 }) },
      ],
      'msr-filter.range-size': filter(0, { nmsrs: 0x3001 }),
      'msr-filter.bitmap-unreadable': filter(0, {}, { readBitmap: () => undefined }),
    },
  },
};
