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
import { faultAt } from '../kernel.ts';
import { buildTd } from './build-td.ts';
import { setupTdParams } from './td-params.ts';
import type { TdContext } from './vm-command.ts';

export function initVm(
  context: TdContext,
  caller: Caller,
  cmd: TdxCommandStruct,
  user: UserInitVm,
): Answer {
  const {
    kernel,
    tdx: { module },
    td,
  } = context;
  // 6, 7
  if (td.state !== 'UNINITIALIZED') return refuse('EINVAL');
  if (cmd.flags !== 0) return refuse('EINVAL');
  const init = copyIn(context, user);
  if ('ok' in init) return init;
  // 13
  const noMemory = faultAt(kernel, 'KVM_TDX_INIT_VM: allocate TD_PARAMS');
  if (noMemory !== undefined) return noMemory;
  // 14†: a vCPU exists, EBUSY: KVM_CREATE_VCPU needs the state that step 6 refuses
  const params = setupTdParams(context, init);
  if (typeof params === 'string') return refuse(params);

  const refused = buildTd(context, caller.cgroup, params);
  if (refused !== undefined) return refused;
  // tsc_offset and tsc_multiplier
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_OFFSET });
  module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_MULTIPLIER });
  td.attributes = params.attributes;
  td.xfam = params.xfam;
  td.sharedBit = (params.configFlags & configFlags.GPAW) === 0n ? 47 : 51;
  td.state = 'INITIALIZED';
  return done;
}

/** 8 to 12: nent alone, then the whole struct. */
function copyIn({ kernel }: TdContext, user: UserInitVm): InitVmStruct | Refusal {
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
