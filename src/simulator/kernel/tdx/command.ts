/** These checks come before every sub-command of KVM_MEMORY_ENCRYPT_OP, on a VM and on a vCPU. */
import { lockedVmCommandChecks } from '../../../abi/kvm/checks/tdx-command.ts';
import { hasCommand } from '../../../abi/kvm/kernels/record.ts';
import { type TdxCommandName, tdxCommands } from '../../../abi/kvm/requests.ts';
import type { Answer, Request, TdxRequest } from '../../interface.ts';
import { refuse } from '../answer.ts';
import type { Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { allLocks, blocked } from '../locks.ts';
import { hasTd, type TdCommand, type VcpuCommand } from './context.ts';

export const vmCommandSteps: Steps<TdCommand> = {
  'command.unreadable': ({ cmd }) => cmd.fails(),
  'command.hw-error': ({ cmd }) => cmd.value.hwError !== 0n,
  'command.killed': ({ kernel, vm }) => blocked(kernel, allLocks(vm), 'command.killed'),
  'command.unknown': () => true,
};

export const vcpuCommandSteps: Steps<VcpuCommand> = {
  ...vmCommandSteps,
  'vcpu.busy': ({ kernel, vcpu }) => blocked(kernel, [vcpu.mutex], 'vcpu.busy'),
  'command.td-not-in-building': (call) => !hasTd(call) || call.td.state === 'RUNNABLE',
  'command.unreadable-again': ({ cmdAgain }) => cmdAgain.fails(),
  'command.hw-error-again': ({ cmdAgain }) => cmdAgain.value.hwError !== 0n,
};

export function isTdxCommand(request: Request): request is TdxRequest {
  return request.request === 'KVM_MEMORY_ENCRYPT_OP' || request.request in tdxCommands;
}

/** Gives the command that a request names, or undefined when this kernel has no such command. */
export function commandNamed({ abi }: Kernel, request: TdxRequest['request']) {
  if (request === 'KVM_MEMORY_ENCRYPT_OP' || !hasCommand(abi, request)) return undefined;
  return request satisfies TdxCommandName;
}

/**
 * The command is written back with its hw_error on success and on failure, and a fault there undoes
 * nothing. A call that is refused before the command itself is checked does not write it.
 */
export function writtenBack(
  { kernel, cmd }: TdCommand,
  request: TdxRequest,
  answer: Answer,
): Answer {
  const command = commandNamed(kernel, request.request);
  const goesBack =
    command !== undefined && kernel.abi.checks[command].includes('command.unwritable');
  const isEarly = !answer.ok && answer.check !== undefined && answer.check in lockedVmCommandChecks;
  if (!goesBack || isEarly) return answer;
  const hwError = answer.ok ? 0n : (answer.hwError ?? 0n);
  return request.cmd.write({ ...cmd.value, hwError }) ? answer : refuse('command.unwritable');
}
