/**
 * KVM_CREATE_DEVICE knows one device on x86: VFIO's, modelled on kvm_ioctl_create_device() and
 * virt/kvm/vfio.c. A VM has at most one. No file of this host is one of VFIO's, so none can be added.
 */
import type {
  Answer,
  Caller,
  CreateDeviceRequest,
  CreateDeviceStruct,
  DeviceAttrRequest,
  DeviceAttrStruct,
  Request,
  VfioFileFact,
} from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import {
  CopiedIn,
  descriptorStep,
  faultStep,
  firstRefusal,
  type Step,
  type Steps,
} from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { VfioDevice, Vm } from '../objects.ts';
import { putVm } from './teardown.ts';

const KVM_DEV_TYPE_VFIO = 4;
const KVM_CREATE_DEVICE_TEST = 1;
const KVM_DEV_VFIO_FILE = 1n;
const KVM_DEV_VFIO_FILE_ADD = 1n;
const KVM_DEV_VFIO_FILE_DEL = 2n;

interface CreateCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vm: Vm;
  readonly create: CopiedIn<CreateDeviceStruct>;
}

const isTest = ({ create }: CreateCall) => (create.value.flags & KVM_CREATE_DEVICE_TEST) !== 0;

const making =
  (step: Step<CreateCall>): Step<CreateCall> =>
  (call) =>
    !isTest(call) && step(call);

const createSteps: Steps<CreateCall> = {
  'argument.unreadable': ({ create }) => create.fails(),
  'create-device.unknown': ({ create }) => create.value.type !== KVM_DEV_TYPE_VFIO,
  'kernel.no-memory': making(faultStep('kernel.no-memory', 'KVM_CREATE_DEVICE: allocate')),
  'create-device.second': making(({ vm }) => vm.vfioDevice !== undefined),
  'process.no-descriptor': making(
    descriptorStep('process.no-descriptor', 'KVM_CREATE_DEVICE: install the fd'),
  ),
};

/** The kernel writes the struct back also where it only tested. A fault there leaves the fd in place. */
export function createDevice(
  kernel: Kernel,
  caller: Caller,
  vm: Vm,
  { create, fd }: CreateDeviceRequest,
): Answer {
  const call = { kernel, caller, vm, create: new CopiedIn(() => create.read()) };
  const refused = firstRefusal(kernel, 'KVM_CREATE_DEVICE', { steps: createSteps, call });
  if (refused !== undefined) return refused;
  if (isTest(call)) return create.write(call.create.value) ? done : refuse('argument.unwritable');
  const device: VfioDevice = { vm };
  vm.vfioDevice = device;
  vm.references++;
  const made = kernel.files.install({ kind: 'device', device });
  return fd.writeFile(made) ? { ok: true, value: 0, made } : refuse('argument.unwritable');
}

/** The last close of the device's fd. */
export function releaseVfioDevice(kernel: Kernel, { vm }: VfioDevice): void {
  vm.vfioDevice = undefined;
  putVm(kernel, vm);
}

interface AttrCall {
  readonly attr: CopiedIn<DeviceAttrStruct>;
  readonly file: CopiedIn<VfioFileFact>;
}

const isKnown = ({ group, attr }: DeviceAttrStruct) =>
  BigInt(group) === KVM_DEV_VFIO_FILE &&
  (attr === KVM_DEV_VFIO_FILE_ADD || attr === KVM_DEV_VFIO_FILE_DEL);

const attrSteps: Steps<AttrCall> = {
  'vfio-device.no-get': () => true,
  'argument.unreadable': ({ attr }) => attr.fails(),
  'vfio-device.unknown-attr': ({ attr }) => !isKnown(attr.value),
  'vfio-device.fd-unreadable': ({ file }) => file.fails(),
  'vfio-device.file-closed': ({ file }) => file.value === 'not open',
  'vfio-device.other-file': ({ attr }) => attr.value.attr === KVM_DEV_VFIO_FILE_ADD,
  'vfio-device.not-added': ({ attr }) => attr.value.attr === KVM_DEV_VFIO_FILE_DEL,
};

export function vfioDeviceIoctl(
  kernel: Kernel,
  caller: Caller,
  { vm }: VfioDevice,
  request: Request,
): Answer {
  if (caller.mm !== vm.mm) return refuse('vm.other-process');
  if (vm.dead) return refuse('vm.dead');
  switch (request.request) {
    case 'KVM_SET_DEVICE_ATTR':
    case 'KVM_GET_DEVICE_ATTR':
    case 'KVM_HAS_DEVICE_ATTR':
      return deviceAttr(kernel, request);
    default:
      return refuse('request.unknown-on-vm');
  }
}

function deviceAttr(kernel: Kernel, { request, attr, file }: DeviceAttrRequest): Answer {
  const call = {
    attr: new CopiedIn(() => attr.read()),
    file: new CopiedIn(() => file?.read()),
  };
  const named = `${request} on a device` as const;
  return firstRefusal(kernel, named, { steps: attrSteps, call }) ?? done;
}
