/**
 * KVM_MEMORY_ENCRYPT_OP on a vCPU fd (kernel-abi 2.8): in one stage, or in two as on Linux 7.3.
 * The command is never written back, so hw_error is never reported.
 */
import type { Answer, Caller, TdxCommandStruct, TdxRequest, UserStruct } from '../../interface.ts';
import { type Refusal, refuse } from '../answer.ts';
import { type Kernel, killedWhileLocking } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { hasTd, type VcpuContext } from './context.ts';
import { getCpuid } from './get-cpuid.ts';
import { initMemRegion } from './init-mem-region.ts';
import { initVcpu } from './init-vcpu.ts';
import { isKnown } from './vm-command.ts';

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
  const context: VcpuContext = { kernel, tdx: kernel.tdx, vm, td: vm.td, vcpu, tdVcpu };
  // 2 to 5, in this kernel's order
  let cmd: TdxCommandStruct | undefined;
  for (const check of kernel.abi.tdxDispatch.vcpuChecks) {
    switch (check) {
      case 'command':
        cmd = request.cmd.read();
        if (cmd === undefined) return refuse('EFAULT');
        if (cmd.hwError !== 0n) return refuse('EINVAL');
        break;
      case 'locks':
        if (killedWhileLocking(caller, vm)) return refuse('EINTR');
        break;
      case 'td state':
        if (!hasTd(context) || vm.td.state === 'RUNNABLE') return refuse('EINVAL');
        break;
    }
  }
  if (cmd === undefined) return refuse('EINVAL');

  const known = isKnown(kernel, request.request);
  if (known && request.request === 'KVM_TDX_INIT_VCPU') return initVcpu(context, cmd);
  if (known && request.request === 'KVM_TDX_INIT_MEM_REGION') {
    return initMemRegion(context, caller, cmd, request.data);
  }
  const again = secondStage(kernel, request.cmd);
  if (again !== undefined) return again;
  if (known && request.request === 'KVM_TDX_GET_CPUID') return getCpuid(context, request.data);
  return refuse('EINVAL');
}

/**
 * The second stage, under vcpu->mutex. 6: a fatal signal while waiting for it, which is free here. 7:
 * the state cannot have changed since; the command is read and looked at again.
 */
function secondStage(kernel: Kernel, user: UserStruct<TdxCommandStruct>): Refusal | undefined {
  if (!kernel.abi.tdxDispatch.vcpuSecondStage) return undefined;
  const again = user.read();
  if (again === undefined) return refuse('EFAULT');
  return again.hwError === 0n ? undefined : refuse('EINVAL');
}
