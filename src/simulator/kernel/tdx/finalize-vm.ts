/** KVM_TDX_FINALIZE_VM follows tdx_td_finalize(), which checks neither flags nor data. */
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer } from '../../interface.ts';
import { done, refusedByModule } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import { bugVm } from '../vm/vm.ts';
import { vmCommandSteps } from './command.ts';
import { hasTd, type TdCommand } from './context.ts';

interface FinalizeCall extends TdCommand {
  status: bigint;
}

const steps: Steps<FinalizeCall> = {
  ...vmCommandSteps,
  'finalize-vm.wrong-order': (call) =>
    !hasTd(call) || call.td.state === 'RUNNABLE' || call.td.tdr === undefined,
  'finalize-vm.pages-not-added': ({ td }) => td.premapped.size > 0,
  'finalize-vm.busy': (call) => {
    const { tdx, td } = call;
    call.status = tdx.module.seamcall('TDH.MR.FINALIZE', { rcx: td.tdr ?? 0 });
    return isStatus(call.status, 'TDX_OPERAND_BUSY')
      ? refusedByModule('finalize-vm.busy', tdx, call.status)
      : undefined;
  },
  'finalize-vm.module-refused': ({ tdx, vm, status }) => {
    if (status === statusCodes.TDX_SUCCESS) return undefined;
    bugVm(vm);
    return refusedByModule('finalize-vm.module-refused', tdx, status);
  },
};

export function finalizeVm(command: TdCommand): Answer {
  const { kernel, tdx, vm, td, caller, cmd } = command;
  const call = { kernel, tdx, vm, td, caller, cmd, status: statusCodes.TDX_SUCCESS };
  const refused = firstRefusal(kernel, 'KVM_TDX_FINALIZE_VM', { steps, call });
  if (refused !== undefined) return refused;
  td.state = 'RUNNABLE';
  td.preFaultAllowed = true;
  return done;
}
