/** A vCPU is entered with TDH.VP.ENTER on the logical CPU that it is associated with. */
import { isStatus, statusCodes } from '../../../abi/tdx/status.ts';
import type { VcpuExit } from '../../interface.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

/**
 * KVM enters again for as long as the TD's epoch is busy. On a real host a signal ends that; here this
 * number does.
 */
const mostTries = 1000;
/** This is KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON. */
const unexpectedExitReason = 4;

/** There is nothing to do on a VM that is no TD. */
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
