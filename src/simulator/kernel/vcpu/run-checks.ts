/**
 * KVM_RUN makes these checks before it enters the guest: kvm_arch_vcpu_ioctl_run() in
 * arch/x86/kvm/x86.c.
 */
import type { Caller, RunPage, RunPageInput } from '../../interface.ts';
import type { Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { mapGpaResults } from '../tdx/tdvmcall.ts';
import { isInSmm, syncedRegs, takeRegisters, takeTaskPriority } from './run-page.ts';

interface RunCheckCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly arg: bigint;
  readonly page: RunPage;
  readonly input: RunPageInput;
  /** complete_userspace_io: continues what the last exit asked of user space. */
  readonly complete: () => void;
}

export const runSteps: Steps<RunCheckCall> = {
  'argument.not-zero': ({ arg }) => arg !== 0n,
  // KVM_TDX_INIT_VCPU cannot come in the meantime, because this call has the mutex.
  'run.waits-for-init': ({ vcpu }) => vcpu.mpState === 'UNINITIALIZED',
  'run.sync-regs': ({ vcpu, input }) =>
    ((input.validRegs | input.dirtyRegs) & ~syncedRegs(vcpu)) !== 0n,
  'run.dirty-regs': ({ kernel, vcpu, input, page }) =>
    !takeRegisters(kernel, vcpu, page, input.dirtyRegs),
  'run.cr8': ({ vcpu, input }) => !takeTaskPriority(vcpu, input.cr8),
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
  'run.waits-for-sipi': ({ vcpu }) =>
    vcpu.mpState === 'INIT_RECEIVED' && (vcpu.td !== undefined || isInSmm(vcpu)),
  'run.vcpu-not-initialised': ({ vcpu }) => vcpu.td?.state === 'UNINITIALIZED',
  'run.td-not-finalised': ({ vcpu: { vm } }) => vm.td !== undefined && vm.td.state !== 'RUNNABLE',
  'run.vm-died': ({ vcpu }) => vcpu.vm.dead,
  'run.signal': ({ caller }) => caller.pendingSignal() !== 'none',
};
