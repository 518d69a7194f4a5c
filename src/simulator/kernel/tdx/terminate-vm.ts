/**
 * KVM_TDX_TERMINATE_VM, posted for Linux 6.17 and not merged (kernel-abi 5). The VM is dead at once
 * and its key ID free, before any page of the guest is: that is what makes a teardown quick.
 */
import type { Answer } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { killVm } from '../vm/vm.ts';
import type { TdContext } from './context.ts';
import { releaseKeyId } from './release-key-id.ts';

export function terminateVm({ kernel, tdx, vm }: TdContext): Answer {
  // kvm_trylock_all_vcpus
  if (vm.runs.size > 0) return refuse('EBUSY');
  killVm(vm);
  releaseKeyId(kernel, tdx, vm);
  return done;
}
