/**
 * KVM_TDX_INIT_VM (kernel-abi 2.6 and 7.1): takes the key ID and builds the TD. Every failure gives
 * back what it took and leaves the TD uninitialised, so it may be tried again unless the VM was
 * bugged. Numbers in comments are the steps of 7.1.
 */
import { KVM_MAX_CPUID_ENTRIES } from '../../../abi/kvm/structs.ts';
import { configFlags } from '../../../abi/tdx/td-params.ts';
import type {
  Answer,
  Caller,
  InitVmStruct,
  TdxCommandStruct,
  UserInitVm,
} from '../../interface.ts';
import { tdFields } from '../../module/metadata-fields.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import { buildTd, initTd } from './build-td.ts';
import type { TdContext } from './context.ts';
import { setupTdParams } from './td-params.ts';

/** Room for entries in the struct of a fixed size: 16384 bytes, entries of 40 from byte 168. */
const fixedSizeEntries = 405;

export function initVm(
  context: TdContext,
  caller: Caller,
  cmd: TdxCommandStruct,
  user: UserInitVm,
): Answer {
  const {
    kernel,
    tdx: { module },
    vm,
    td,
  } = context;
  // 6, 7
  if (isDone(context)) return refuse('EINVAL');
  if (cmd.flags !== 0) return refuse('EINVAL');
  const init = copyIn(context, user);
  if ('ok' in init) return init;
  // 13
  const noMemory = faultAt(kernel, 'KVM_TDX_INIT_VM: allocate TD_PARAMS');
  if (noMemory !== undefined) return noMemory;
  // 14: unreachable where KVM_CREATE_VCPU needs the state that step 6 refuses
  if (kernel.abi.initVm.vcpusExist === 'EBUSY' && vm.vcpus.length > 0) return refuse('EBUSY');
  const maxVcpus = maxVcpusOf(context, init);
  if (maxVcpus === undefined) return refuse('EINVAL');
  const params = setupTdParams(context, init, maxVcpus);
  if (typeof params === 'string') return refuse(params);

  const built =
    kernel.abi.keyId.takenAt === 'KVM_CREATE_VM' ? undefined : buildTd(context, caller.cgroup);
  const refused = built ?? initTd(context, params);
  if (refused !== undefined) return refused;
  vm.maxVcpus = maxVcpus;
  // tsc_offset and tsc_multiplier
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_OFFSET });
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_MULTIPLIER });
  td.attributes = params.attributes;
  td.xfam = params.xfam;
  td.sharedBit = (params.configFlags & configFlags.GPAW) === 0n ? 47 : 51;
  td.state = 'INITIALIZED';
  return done;
}

function isDone({ kernel, vm, td }: TdContext): boolean {
  return kernel.abi.initVm.doneWhen === 'state'
    ? td.state !== 'UNINITIALIZED'
    : vm.maxVcpus !== 0 || td.state !== 'UNINITIALIZED';
}

/** kvm->max_vcpus as it will be; undefined: EINVAL (kernel-abi 3.1, 3.2). */
function maxVcpusOf({ kernel, vm }: TdContext, init: InitVmStruct): number | undefined {
  const rule = kernel.abi.maxVcpus.inInitVm;
  const asked = init.maxVcpus ?? 0;
  if (rule === 'no field') return vm.maxVcpus;
  if (rule === 'must match') return asked === vm.maxVcpus ? asked : undefined;
  if (asked > kernel.profile.kvmMaxVcpus) return undefined;
  return rule === 'covers the vCPUs' && vm.vcpus.length > asked ? undefined : asked;
}

/** 8 to 12. */
function copyIn({ kernel }: TdContext, user: UserInitVm): InitVmStruct | Refusal {
  return kernel.abi.initVm.struct === 'sized by nent'
    ? copyInSized(kernel, user)
    : copyInFixed(kernel, user);
}

/** 16384 bytes at once, and what lies beyond the entries must be 0 (kernel-abi 3.2). */
function copyInFixed(kernel: Kernel, user: UserInitVm): InitVmStruct | Refusal {
  const fault = faultAt(kernel, 'KVM_TDX_INIT_VM: copy the struct');
  if (fault !== undefined) return fault;
  const init = user.read(fixedSizeEntries);
  if (init === undefined) return refuse('EFAULT');
  if (init.cpuid.padding !== 0 || init.cpuid.nent > fixedSizeEntries) return refuse('EINVAL');
  return init.reserved.some((word) => word !== 0n) ? refuse('EINVAL') : init;
}

/** nent alone, then the whole struct. */
function copyInSized(kernel: Kernel, user: UserInitVm): InitVmStruct | Refusal {
  const nent = user.readNent();
  if (nent === undefined) return refuse('EFAULT');
  if (nent > KVM_MAX_CPUID_ENTRIES) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_TDX_INIT_VM: copy the struct');
  if (fault !== undefined) return fault;
  const init = user.read(nent);
  if (init === undefined) return refuse('EFAULT');
  if (init.reserved.some((word) => word !== 0n)) return refuse('EINVAL');
  if (init.cpuid.padding !== 0 || init.cpuid.nent !== nent) return refuse('EINVAL');
  return init;
}
