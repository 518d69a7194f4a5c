/** fallocate() of a guest_memfd, and the ioctls of a device that KVM_CREATE_DEVICE has made. */
import {
  type DeviceAttrRequest,
  type FallocateRequest,
  type Handle,
  StructValue,
  type VfioFileFact,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { page } from '../../structs.ts';
import { FileValue, faultyAt } from '../../values.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

const punch = (change: Partial<FallocateRequest> = {}): FallocateRequest => ({
  request: 'fallocate',
  mode: 3,
  offset: 0n,
  length: page,
  ...change,
});

/** Of 16 pages, and of a VM of any kind. */
function memfd(driver: Driver): Handle {
  const create = new StructValue({ size: 16n * page, flags: 0n });
  return driver.must(driver.createVm(), { request: 'KVM_CREATE_GUEST_MEMFD', create });
}

const punched =
  (change: Partial<FallocateRequest>, file: (driver: Driver) => Handle = memfd): Call =>
  (driver) =>
    driver.call(file(driver), punch(change));

const stats = (driver: Driver) => driver.must(driver.createVm(), { request: 'KVM_GET_STATS_FD' });

function device(driver: Driver): Handle {
  const fd = new FileValue();
  const create = new StructValue({ type: 4, fd: 0, flags: 0 });
  driver.must(driver.createVm(), { request: 'KVM_CREATE_DEVICE', create, fd });
  return fd.made?.handle ?? 0;
}

const attribute = (
  request: DeviceAttrRequest['request'],
  { attr = 1n, file = 'not open' }: { attr?: bigint; file?: VfioFileFact } = {},
) => ({
  request,
  attr: new StructValue({ flags: 0, group: 1, attr }),
  value: new StructValue(0n),
  file: new StructValue(file),
});

const asked =
  (request: DeviceAttrRequest): Call =>
  (driver) =>
    driver.call(device(driver), request);

const onDevice = (
  request: DeviceAttrRequest['request'],
  cases: Conformance['cases'],
): Conformance => ({ handle: device, request: () => attribute(request), cases });

const unknown = (request: DeviceAttrRequest['request']) => ({
  'vfio-device.unknown-attr': asked(attribute(request, { attr: 3n })),
});

const setFile = attribute('KVM_SET_DEVICE_ATTR');

export const files: ConformanceTable = {
  fallocate: {
    handle: memfd,
    request: () => punch({ mode: 1 }),
    cases: {
      'fallocate.range': [
        { title: 'a negative offset', provoke: punched({ offset: -page }) },
        { title: 'no length', provoke: punched({ length: 0n }) },
      ],
      'fallocate.mode': [
        { title: 'unknown', provoke: punched({ mode: 0x101 }) },
        { title: 'a hole that changes the size', provoke: punched({ mode: 2 }) },
      ],
      'fallocate.read-only': punched({}, stats),
      'fallocate.no-memory-file': punched({}, (driver) => driver.createVm()),
      'fallocate.too-large': punched({ offset: (1n << 63n) - page }),
      'fallocate.other-mode': [
        { title: 'a size that may grow', provoke: punched({ mode: 0 }) },
        { title: 'zeroes', provoke: punched({ mode: 0x11 }) },
      ],
      'fallocate.unaligned': [
        { title: 'the offset', provoke: punched({ offset: 1n }) },
        { title: 'the length', provoke: punched({ length: page + 1n }) },
      ],
      'fallocate.beyond-size': punched({ mode: 1, offset: 16n * page }),
      'fallocate.interrupted': (driver) => {
        const file = memfd(driver);
        driver.signal = 'ordinary';
        return driver.call(file, punch({ mode: 1 }));
      },
    },
  },
  'KVM_SET_DEVICE_ATTR on a device': onDevice('KVM_SET_DEVICE_ATTR', {
    ...unknown('KVM_SET_DEVICE_ATTR'),
    'vfio-device.fd-unreadable': asked({ ...setFile, file: faultyAt(setFile.file, 'read') }),
    'vfio-device.file-closed': asked(setFile),
    'vfio-device.other-file': asked(attribute('KVM_SET_DEVICE_ATTR', { file: 'another file' })),
    'vfio-device.not-added': asked(
      attribute('KVM_SET_DEVICE_ATTR', { attr: 2n, file: 'another file' }),
    ),
  }),
  'KVM_GET_DEVICE_ATTR on a device': onDevice('KVM_GET_DEVICE_ATTR', {
    'vfio-device.no-get': asked(attribute('KVM_GET_DEVICE_ATTR')),
  }),
  'KVM_HAS_DEVICE_ATTR on a device': onDevice('KVM_HAS_DEVICE_ATTR', {
    ...unknown('KVM_HAS_DEVICE_ATTR'),
  }),
};
