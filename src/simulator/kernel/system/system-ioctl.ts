/** These are the ioctls of /dev/kvm. */

import type { VcpuBound } from '../../../abi/kvm/kernels/record.ts';
import { vmTypes } from '../../../abi/kvm/vm-types.ts';
import type { Answer, Caller, Request } from '../../interface.ts';
import { ok, okWithFile, type Refusal, refuse } from '../answer.ts';
import { descriptorStep, faultStep, firstRefusal, type Steps } from '../checks.ts';
import { systemDeviceAttr } from '../device-attr.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_API_VERSION, leastBound, vcpuMmapBytes } from '../limits.ts';
import { getMsrIndexList } from '../msrs/index-lists.ts';
import { getFeatureMsrs } from '../msrs/msr-io.ts';
import type { Vm } from '../objects.ts';
import { buildTdSteps, giveBack, tdInMaking } from '../tdx/build-td.ts';
import { getEmulatedCpuid, getSupportedCpuid } from '../vcpu/cpuid.ts';
import { getSupportedHypervCpuid } from '../vcpu/hyperv-cpuid.ts';
import { getMceCapSupported } from '../vcpu/machine-check.ts';
import { putVm } from '../vm/teardown.ts';
import { newVm } from '../vm/vm.ts';
import { supportedVmTypes } from './capability-values.ts';
import { checkExtension } from './check-extension.ts';

export function systemIoctl(kernel: Kernel, caller: Caller, request: Request): Answer {
  switch (request.request) {
    case 'KVM_GET_API_VERSION':
      return request.arg === 0n ? ok(KVM_API_VERSION) : refuse('argument.not-zero');
    case 'KVM_CREATE_VM':
      return createVm(kernel, caller, request.type);
    case 'KVM_CHECK_EXTENSION':
      return ok(checkExtension(kernel, request.capability, undefined));
    case 'KVM_GET_VCPU_MMAP_SIZE':
      return request.arg === 0n ? ok(vcpuMmapBytes) : refuse('argument.not-zero');
    case 'KVM_GET_SUPPORTED_CPUID':
      return getSupportedCpuid(kernel, request.cpuid);
    case 'KVM_GET_EMULATED_CPUID':
      return getEmulatedCpuid(kernel, request.cpuid);
    case 'KVM_GET_SUPPORTED_HV_CPUID':
      return getSupportedHypervCpuid(kernel, undefined, request.cpuid);
    case 'KVM_X86_GET_MCE_CAP_SUPPORTED':
      return getMceCapSupported(kernel, request.mceCap);
    case 'KVM_GET_MSR_INDEX_LIST':
    case 'KVM_GET_MSR_FEATURE_INDEX_LIST':
      return getMsrIndexList(kernel, request.request, request.list);
    case 'KVM_GET_MSRS':
      return getFeatureMsrs(kernel, request.msrs);
    case 'KVM_GET_DEVICE_ATTR':
    case 'KVM_HAS_DEVICE_ATTR':
      return systemDeviceAttr(kernel, request.request, request);
    default:
      return refuse('request.unknown');
  }
}

interface CreateVmCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly type: number;
}

const createVmSteps: Steps<CreateVmCall> = {
  'process.no-descriptor': descriptorStep('process.no-descriptor', 'KVM_CREATE_VM: install the fd'),
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_CREATE_VM: allocate'),
  'create-vm.type': ({ kernel, type }) => !isVmType(kernel, type),
};

/**
 * kvm_dev_ioctl_create_vm() takes no key ID and no page of the module, and makes no SEAMCALL. Only the
 * series before v8 do.
 */
function createVm(kernel: Kernel, caller: Caller, type: number): Answer {
  const call = { kernel, caller, type };
  const refused = firstRefusal(kernel, 'KVM_CREATE_VM', { steps: createVmSteps, call });
  if (refused !== undefined) return refused;

  const isTd = type === vmTypes.KVM_X86_TDX_VM;
  const bounds = isTd ? kernel.abi.maxVcpus.atCreateVm : ordinaryBounds;
  const vm = newVm({
    id: kernel.nextVmId++,
    isTd,
    mm: caller.mm,
    tid: caller.tid ?? caller.mm,
    maxVcpus: leastBound(kernel, bounds),
    tscKhz: kernel.profile.platform.tscKhz,
    createdNs: kernel.hostClock.bootNs(),
  });
  kernel.vms.add(vm);
  const early = takeKeyIdEarly(kernel, caller, vm);
  if (early !== undefined) {
    putVm(kernel, vm);
    return early;
  }
  return okWithFile(kernel.files.install({ kind: 'vm', vm }));
}

const ordinaryBounds: readonly VcpuBound[] = ['KVM_MAX_VCPUS'];

/** Before v8 of the series, a TD is built in the module as soon as it is created. */
function takeKeyIdEarly(kernel: Kernel, caller: Caller, vm: Vm): Refusal | undefined {
  if (kernel.abi.keyId.takenAt !== 'KVM_CREATE_VM') return undefined;
  if (vm.td === undefined || kernel.tdx === undefined) return undefined;
  const call = tdInMaking({ kernel, tdx: kernel.tdx, vm, td: vm.td }, caller.cgroup);
  const refused = firstRefusal(kernel, 'KVM_CREATE_VM', { steps: buildTdSteps, call });
  if (refused !== undefined) giveBack(call);
  return refused;
}

function isVmType(kernel: Kernel, type: number): boolean {
  return type >= 0 && type < 32 && ((supportedVmTypes(kernel) >>> type) & 1) === 1;
}
