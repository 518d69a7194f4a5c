/**
 * KVM_TDX_TERMINATE_VM, posted for Linux 6.17 and not merged. The VM is dead at once and its key ID
 * free, before any page of the guest is: that is what makes a teardown quick.
 */
import type { Answer } from '../../interface.ts';
import { done } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import { killVm } from '../vm/vm.ts';
import { vmCommandSteps } from './command.ts';
import type { TdCommand } from './context.ts';
import { releaseKeyId } from './release-key-id.ts';

const steps: Steps<TdCommand> = {
  ...vmCommandSteps,
  // kvm_trylock_all_vcpus
  'terminate-vm.vcpu-runs': ({ vm }) => vm.runs.size > 0,
};

export function terminateVm(call: TdCommand): Answer {
  const { kernel, tdx, vm } = call;
  const refused = firstRefusal(kernel, 'KVM_TDX_TERMINATE_VM', { steps, call });
  if (refused !== undefined) return refused;
  killVm(vm);
  releaseKeyId(kernel, tdx, vm);
  return done;
}
