/** What /dev/kvm and a VM tell of themselves, and the attributes that /dev/kvm and a vCPU have. */
import {
  type DeviceAttrRequest,
  type Handle,
  StructValue,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { faulting } from '../../structs.ts';
import type { Call, Case, Conformance, ConformanceTable } from './case.ts';

type File = (driver: Driver) => Handle;

const devKvm: File = (driver) => driver.kvm;
const aVcpu: File = (driver) => driver.plainVcpu();

function plainQuestion(request: 'KVM_GET_API_VERSION' | 'KVM_GET_VCPU_MMAP_SIZE'): Conformance {
  return {
    handle: devKvm,
    request: () => ({ request, arg: 0n }),
    cases: { 'argument.not-zero': (driver) => driver.call(driver.kvm, { request, arg: 1n }) },
  };
}

/** The one attribute that either file has, unless told otherwise. */
const attribute = (
  request: DeviceAttrRequest['request'],
  change: { readonly group?: number; readonly attr?: bigint } = {},
): DeviceAttrRequest => ({
  request,
  attr: new StructValue({ flags: 0, group: 0, attr: 0n, ...change }),
  value: new StructValue(0n),
});

function deviceAttr(
  request: DeviceAttrRequest['request'],
  handle: File,
  cases: Conformance['cases'] = {},
): Conformance {
  const unknown = (title: string, change: Parameters<typeof attribute>[1]): Case => ({
    title,
    provoke: (driver) => driver.call(handle(driver), attribute(request, change)),
  });
  return {
    handle,
    request: () => attribute(request),
    cases: {
      'device-attr.unknown': [
        unknown('of another group', { group: 1 }),
        unknown('of another number', { attr: 1n }),
      ],
      ...cases,
    },
  };
}

const faultyValue =
  (request: DeviceAttrRequest['request'], file: File, at: 'read' | 'write'): Call =>
  (driver) =>
    driver.call(file(driver), {
      ...attribute(request),
      value: faulting(new StructValue(0n), at),
    });

const unwritable = (file: File): Conformance['cases'] => ({
  'device-attr.value-unwritable': faultyValue('KVM_GET_DEVICE_ATTR', file, 'write'),
});

export const system: ConformanceTable = {
  KVM_GET_API_VERSION: plainQuestion('KVM_GET_API_VERSION'),
  KVM_GET_VCPU_MMAP_SIZE: plainQuestion('KVM_GET_VCPU_MMAP_SIZE'),
  KVM_CHECK_EXTENSION: {
    handle: (driver) => driver.createVm(),
    request: () => ({ request: 'KVM_CHECK_EXTENSION', capability: 0 }),
    cases: {},
  },
  'KVM_GET_DEVICE_ATTR on /dev/kvm': deviceAttr('KVM_GET_DEVICE_ATTR', devKvm, unwritable(devKvm)),
  'KVM_HAS_DEVICE_ATTR on /dev/kvm': deviceAttr('KVM_HAS_DEVICE_ATTR', devKvm),
  KVM_GET_DEVICE_ATTR: deviceAttr('KVM_GET_DEVICE_ATTR', aVcpu, unwritable(aVcpu)),
  KVM_HAS_DEVICE_ATTR: deviceAttr('KVM_HAS_DEVICE_ATTR', aVcpu),
  KVM_SET_DEVICE_ATTR: deviceAttr('KVM_SET_DEVICE_ATTR', aVcpu, {
    'device-attr.value-unreadable': faultyValue('KVM_SET_DEVICE_ATTR', aVcpu, 'read'),
  }),
};
