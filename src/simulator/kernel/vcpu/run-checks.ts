/**
 * KVM_RUN makes these checks before it enters the guest: kvm_arch_vcpu_ioctl_run() in
 * arch/x86/kvm/x86.c.
 */
import type { Caller, RunPageInput } from '../../interface.ts';
import type { Steps } from '../checks.ts';
import type { Vcpu } from '../objects.ts';
import { mapGpaResults } from '../tdx/tdvmcall.ts';

interface RunCheckCall {
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly arg: bigint;
  readonly input: RunPageInput;
  /** complete_userspace_io: continues what the last exit asked of user space. */
  readonly complete: () => void;
}

export const runSteps: Steps<RunCheckCall> = {
  'argument.not-zero': ({ arg }) => arg !== 0n,
  // KVM_TDX_INIT_VCPU cannot come in the meantime, because this call has the mutex.
  'run.waits-for-init': ({ vcpu }) => vcpu.mpState === 'UNINITIALIZED',
  'run.sync-regs': ({ vcpu, input }) => vcpu.td !== undefined && input.syncRegs !== 0n,
  'run.map-gpa-answer': ({ vcpu, input }) => {
    const completes = vcpu.pendingCompletion?.completes;
    const isMapGpa = completes === 'MapGPA' || completes === 'hypercall';
    if (!isMapGpa || mapGpaResults.includes(input.result)) return false;
    vcpu.pendingCompletion = undefined;
    return true;
  },
  // The answer of user space to its last exit is completed first, even when it wants to leave at once.
  'run.immediate-exit': ({ input, complete }) => {
    complete();
    return input.immediateExit;
  },
  'run.waits-for-sipi': ({ vcpu }) => vcpu.td !== undefined && vcpu.mpState === 'INIT_RECEIVED',
  'run.vcpu-not-initialised': ({ vcpu }) => vcpu.td?.state === 'UNINITIALIZED',
  'run.td-not-finalised': ({ vcpu: { vm } }) => vm.td !== undefined && vm.td.state !== 'RUNNABLE',
  'run.vm-died': ({ vcpu }) => vcpu.vm.dead,
  'run.signal': ({ caller }) => caller.pendingSignal() !== 'none',
};
