/**
 * KVM_TDX_TERMINATE_VM was posted for Linux 6.17 and is not merged. It kills the VM at once and frees
 * its key ID before any page of the guest, which is what makes a teardown quick.
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
  // The kernel's kvm_trylock_all_vcpus() fails while anybody holds a vCPU.
  'terminate-vm.vcpu-runs': ({ vm }) => vm.vcpus.some(({ mutex }) => mutex.isHeld),
};

export function terminateVm(call: TdCommand): Answer {
  const { kernel, tdx, vm } = call;
  const refused = firstRefusal(kernel, 'KVM_TDX_TERMINATE_VM', { steps, call });
  if (refused !== undefined) return refused;
  killVm(vm);
  releaseKeyId(kernel, tdx, vm);
  return done;
}
