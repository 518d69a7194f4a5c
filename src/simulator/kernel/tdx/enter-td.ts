/** TDH.VP.ENTER on the logical CPU that has the vCPU. */
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { VcpuExit } from '../../interface.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

/** KVM enters again for as long as the TD's epoch is busy; a signal ends that on a real host. */
const mostTries = 1000;
/** KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON */
const unexpectedExitReason = 4;

/** Nothing to do on a VM that is no TD. */
export function enterTd(kernel: Kernel, { td }: Vcpu): 'entered' | 'interrupted' | VcpuExit {
  if (td?.tdvpr === undefined || kernel.tdx === undefined) return 'entered';
  const logicalCpu = td.logicalCpu ?? 0;
  for (let tries = 0; tries < mostTries; tries++) {
    const status = kernel.tdx.module.seamcall('TDH.VP.ENTER', { rcx: td.tdvpr }, logicalCpu);
    if (status === statusCodes.TDX_SUCCESS) {
      td.logicalCpu = logicalCpu;
      return 'entered';
    }
    if (!isStatus(status, 'TDX_OPERAND_BUSY')) {
      const data = [status, BigInt(logicalCpu)];
      return { reason: 'KVM_EXIT_INTERNAL_ERROR', suberror: unexpectedExitReason, data };
    }
  }
  return 'interrupted';
}
