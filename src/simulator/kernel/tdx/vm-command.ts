/** KVM_MEMORY_ENCRYPT_OP on a VM fd (kernel-abi 2.3). */
import type { Answer, Caller, TdxCommandStruct, TdxRequest, UserStruct } from '../../interface.ts';
import { refuse } from '../answer.ts';
import { type Kernel, killedWhileLocking } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { tdxCapabilities } from './capabilities.ts';
import type { TdContext } from './context.ts';
import { finalizeVm } from './finalize-vm.ts';
import { initVm } from './init-vm.ts';
import { terminateVm } from './terminate-vm.ts';

export function tdxVmCommand(kernel: Kernel, caller: Caller, vm: Vm, request: TdxRequest): Answer {
  // 1
  if (vm.td === undefined || kernel.tdx === undefined) return refuse('ENOTTY');
  // 2, 3
  const cmd = request.cmd.read();
  if (cmd === undefined) return refuse('EFAULT');
  if (cmd.hwError !== 0n) return refuse('EINVAL');
  const context: TdContext = { kernel, tdx: kernel.tdx, vm, td: vm.td };
  const known = isKnown(kernel, request.request);

  if (known && request.request === 'KVM_TDX_CAPABILITIES') {
    const answer = tdxCapabilities(context, cmd, request.data);
    return kernel.abi.tdxDispatch.capabilitiesWrittenBack
      ? writeBack(request.cmd, cmd, answer)
      : answer;
  }
  // Takes no lock that it waits for, and does not write the command back.
  if (known && request.request === 'KVM_TDX_TERMINATE_VM') return terminateVm(context);

  // 4†: vCPU creation in progress, EBUSY: KVM_CREATE_VCPU holds kvm->lock from start to end
  // 5
  if (kernel.abi.tdxDispatch.vmCommandsLockVcpus && killedWhileLocking(caller, vm)) {
    return refuse('EINTR');
  }
  if (known && request.request === 'KVM_TDX_INIT_VM') {
    return writeBack(request.cmd, cmd, initVm(context, caller, cmd, request.data));
  }
  if (known && request.request === 'KVM_TDX_FINALIZE_VM') {
    return writeBack(request.cmd, cmd, finalizeVm(context));
  }
  return refuse('EINVAL');
}

export function isKnown(kernel: Kernel, request: TdxRequest['request']): boolean {
  return (
    request !== 'KVM_MEMORY_ENCRYPT_OP' &&
    (kernel.abi.tdxCommands as readonly string[]).includes(request)
  );
}

/** The command goes back with its hw_error on success and failure; a fault there undoes nothing. */
function writeBack(
  user: UserStruct<TdxCommandStruct>,
  cmd: TdxCommandStruct,
  answer: Answer,
): Answer {
  const hwError = answer.ok ? 0n : (answer.hwError ?? 0n);
  return user.write({ ...cmd, hwError }) ? answer : refuse('EFAULT');
}
