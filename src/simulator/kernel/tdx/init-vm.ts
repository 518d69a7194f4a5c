/**
 * KVM_TDX_INIT_VM follows tdx_td_init(). It takes the key ID and builds the TD. Every failure gives
 * back what it took and leaves the TD uninitialised, so the call may be tried again unless the VM was
 * bugged.
 */
import { type InitVmFacts, type InitVmRule, initVmRules } from '../../../abi/kvm/init-vm-rules.ts';
import { fixedInitVmEntries, KVM_MAX_CPUID_ENTRIES } from '../../../abi/kvm/structs.ts';
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import { configFlags, type TdParams } from '../../../abi/tdx/td-params.ts';
import type { Answer, InitVmStruct, UserInitVm } from '../../interface.ts';
import { tdFields } from '../../module/metadata-fields.ts';
import { oncePer } from '../../once-per.ts';
import { done, refusedByModule } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Step, type Steps } from '../checks.ts';
import { bugsVm, buildTdSteps, giveBack, type TdInMaking } from './build-td.ts';
import { vmCommandSteps } from './command.ts';
import type { TdCommand } from './context.ts';
import { initVmFacts, tdParamsOf } from './td-params.ts';

interface InitVmCall extends TdCommand, TdInMaking {
  readonly nent: CopiedIn<number>;
  readonly init: CopiedIn<InitVmStruct>;
  /** The facts that setup_tdparams() checks, once they have been asked for. */
  facts: InitVmFacts | undefined;
  params: TdParams | undefined;
}

const steps: Steps<InitVmCall> = {
  ...vmCommandSteps,
  'init-vm.done-already': ({ kernel, vm, td }) =>
    td.state !== 'UNINITIALIZED' ||
    (kernel.abi.initVm.doneWhen === 'max_vcpus is set' && vm.maxVcpus !== 0),
  'init-vm.flags': ({ cmd }) => cmd.value.flags !== 0,
  'init-vm.nent-unreadable': ({ nent }) => nent.fails(),
  'init-vm.too-many-cpuid-entries': ({ nent }) => nent.value > KVM_MAX_CPUID_ENTRIES,
  'init-vm.no-memory-to-copy': faultStep(
    'init-vm.no-memory-to-copy',
    'KVM_TDX_INIT_VM: copy the struct',
  ),
  'init-vm.struct-unreadable': ({ init }) => init.fails(),
  'init-vm.reserved': ({ init }) => init.value.reserved.some((word) => word !== 0n),
  'init-vm.cpuid-padding': ({ init }) => init.value.cpuid.padding !== 0,
  'init-vm.nent-changed': ({ init, nent }) => init.value.cpuid.nent !== nent.value,
  'init-vm.too-many-for-struct': ({ init }) => init.value.cpuid.nent > fixedInitVmEntries,
  'init-vm.no-memory-for-params': faultStep(
    'init-vm.no-memory-for-params',
    'KVM_TDX_INIT_VM: allocate TD_PARAMS',
  ),
  'init-vm.vcpus-exist': ({ vm }) => vm.vcpus.length > 0,
  'init-vm.max-vcpus-too-large': ({ kernel, init }) =>
    askedVcpus(init.value) > kernel.profile.kvmMaxVcpus,
  'init-vm.max-vcpus-mismatch': ({ vm, init }) => askedVcpus(init.value) !== vm.maxVcpus,
  'init-vm.max-vcpus-too-small': ({ vm, init }) => vm.vcpus.length > askedVcpus(init.value),
  'init-vm.attributes': byRule('init-vm.attributes'),
  'init-vm.xfam': byRule('init-vm.xfam'),
  'init-vm.address-width': byRule('init-vm.address-width'),
  'init-vm.no-5-level-ept': byRule('init-vm.no-5-level-ept'),
  'init-vm.cpuid-forbidden': byRule('init-vm.cpuid-forbidden'),
  'init-vm.cpuid-unmatched': byRule('init-vm.cpuid-unmatched'),
  ...buildTdSteps,
  'init-vm.module-refused-operand': (call) => {
    call.params = tdParamsOf(call, call.init.value, {
      maxVcpus: newMaxVcpus(call),
      found: factsOf(call).found,
    });
    const operands = { rcx: call.td.tdr ?? 0, rdx: call.params };
    call.status = call.tdx.module.seamcall('TDH.MNG.INIT', operands);
    // This is the only refusal of a leaf whose status user space gets to see.
    return isStatus(call.status, 'TDX_OPERAND_INVALID')
      ? refusedByModule('init-vm.module-refused-operand', call.tdx, call.status)
      : undefined;
  },
  'init-vm.module-failed': bugsVm('init-vm.module-failed'),
};

export function initVm(command: TdCommand, user: UserInitVm): Answer {
  const { kernel, tdx, vm, td, caller, cmd } = command;
  const nent = new CopiedIn(() => user.readNent());
  const isFixed = kernel.abi.initVm.struct === 'fixed size';
  const init = new CopiedIn(() => user.read(isFixed ? fixedInitVmEntries : nent.value));
  // Field by field: a spread of the command took longer than the checks do.
  const call: InitVmCall = {
    kernel,
    tdx,
    vm,
    td,
    caller,
    cmd,
    cgroup: caller.cgroup,
    key: undefined,
    pages: [],
    status: statusCodes.TDX_SUCCESS,
    nent,
    init,
    facts: undefined,
    params: undefined,
  };
  const refused = firstRefusal(kernel, 'KVM_TDX_INIT_VM', { steps, call });
  if (refused !== undefined) {
    // What KVM_CREATE_VM has built stays, so the call may be tried again.
    giveBack(call);
    return refused;
  }
  const { params } = call;
  if (params === undefined) throw new Error('the kernel record never has TDH.MNG.INIT called');
  vm.maxVcpus = newMaxVcpus(call);
  // KVM reads tsc_offset and tsc_multiplier from the module.
  tdx.module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_OFFSET });
  tdx.module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: tdFields.TSC_MULTIPLIER });
  td.attributes = params.attributes;
  td.xfam = params.xfam;
  td.sharedBit = (params.configFlags & configFlags.GPAW) === 0n ? 47 : 51;
  td.state = 'INITIALIZED';
  return done;
}

function byRule(check: InitVmRule): Step<InitVmCall> {
  const refuses = oncePer(initVmRules[check].refuses);
  return (call) => refuses(factsOf(call));
}

function factsOf(call: InitVmCall): InitVmFacts {
  call.facts ??= initVmFacts(call, call.init.value);
  return call.facts;
}

function askedVcpus({ maxVcpus = 0 }: InitVmStruct): number {
  return maxVcpus;
}

/** Gives the value that kvm->max_vcpus will have. */
function newMaxVcpus({ kernel, vm, init }: InitVmCall): number {
  return kernel.abi.maxVcpus.inInitVm ? askedVcpus(init.value) : vm.maxVcpus;
}
