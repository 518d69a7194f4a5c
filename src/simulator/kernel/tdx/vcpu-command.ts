/**
 * KVM_MEMORY_ENCRYPT_OP on a vCPU fd (kernel-abi 2.8): two stages, the second under vcpu->mutex.
 * The command is never written back, so hw_error is never reported.
 */
import type { Answer, Caller, TdxRequest } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { type Kernel, killedWhileLocking } from '../kernel.ts';
import type { TdOfVcpu, Vcpu } from '../vcpu.ts';
import { getCpuid } from './get-cpuid.ts';
import { initMemRegion } from './init-mem-region.ts';
import { initVcpu } from './init-vcpu.ts';
import { isKnown, type TdContext } from './vm-command.ts';

export interface VcpuContext extends TdContext {
  readonly vcpu: Vcpu;
  readonly tdVcpu: TdOfVcpu;
}

export function tdxVcpuCommand(
  kernel: Kernel,
  caller: Caller,
  vcpu: Vcpu,
  request: TdxRequest,
): Answer {
  // 1
  if (kernel.tdx === undefined) return refuse('ENOTTY');
  const { vm, td: tdVcpu } = vcpu;
  if (vm.td === undefined || tdVcpu === undefined) return refuse('EINVAL');
  // 2, 3
  const cmd = request.cmd.read();
  if (cmd === undefined) return refuse('EFAULT');
  if (cmd.hwError !== 0n) return refuse('EINVAL');
  // 4†: vCPU creation in progress, EBUSY, as on the VM fd
  if (killedWhileLocking(caller, vm)) return refuse('EINTR');
  // 5
  if (vm.td.key === undefined || vm.td.state === 'RUNNABLE') return refuse('EINVAL');

  const context: VcpuContext = { kernel, tdx: kernel.tdx, vm, td: vm.td, vcpu, tdVcpu };
  const known = isKnown(kernel, request.request);
  if (known && request.request === 'KVM_TDX_INIT_VCPU') return initVcpu(context, cmd);
  if (known && request.request === 'KVM_TDX_INIT_MEM_REGION') {
    return initMemRegion(context, caller, cmd, request.data);
  }

  // Second stage. 6: a fatal signal while waiting for vcpu->mutex, which is free here
  // 7: the state cannot have changed since; the command is read and looked at again
  const again = request.cmd.read();
  if (again === undefined) return refuse('EFAULT');
  if (again.hwError !== 0n) return refuse('EINVAL');
  if (known && request.request === 'KVM_TDX_GET_CPUID') return getCpuid(context, request.data);
  return refuse('EINVAL');
}
