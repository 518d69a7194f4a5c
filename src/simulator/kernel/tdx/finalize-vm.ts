/** KVM_TDX_FINALIZE_VM (kernel-abi 2.13 and 7.1). Looks at neither flags nor data. */
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { bugVm } from '../vm/vm.ts';
import { hasTd, type TdContext } from './context.ts';

export function finalizeVm(context: TdContext): Answer {
  const { kernel, tdx, vm, td } = context;
  // 6
  if (!hasTd(context) || td.state === 'RUNNABLE') return refuse('EINVAL');
  if (td.tdr === undefined) return refuse('EINVAL');
  if (kernel.abi.finalizeCountsPremapped && td.premapped.size > 0) return refuse('EINVAL');
  // 7, 8
  const status = tdx.module.seamcall('TDH.MR.FINALIZE', { rcx: td.tdr });
  if (isStatus(status, 'TDX_OPERAND_BUSY')) return refuse('EBUSY', status);
  if (status !== statusCodes.TDX_SUCCESS) {
    bugVm(vm);
    return refuse('EIO', status);
  }
  // 10
  td.state = 'RUNNABLE';
  td.preFaultAllowed = true;
  return done;
}
