/** These rules concern refusals that ask to be repeated. */
import type { VmHistory } from '../history.ts';
import { errnoOf, succeeded } from '../traced.ts';
import type { Found, LintRule } from './rule.ts';

export const repeatRules: readonly LintRule[] = [
  {
    id: 'init-vm.not-repeated',
    severity: 'error',
    problem: 'KVM_TDX_INIT_VM was interrupted or found no entropy, and was not tried again',
    checks: ['init-vm.create-no-entropy', 'init-vm.addcx-no-entropy'],
    kernel: 'everything is rolled back, and the TD can be made by the next try',
    remedy: 'repeat it on EAGAIN and EINTR, with a pause, and a limit of some seconds',
    find: (vm) => notRepeated(vm, 'KVM_TDX_INIT_VM', ['EAGAIN', 'EINTR']),
  },
  {
    id: 'init-mem-region.not-repeated',
    severity: 'error',
    problem: 'KVM_TDX_INIT_MEM_REGION was interrupted, and what was left of it was not added',
    checks: ['init-mem-region.interrupted', 'init-mem-region.busy'],
    kernel: 'the pages before the signal stay, and the region is written back advanced',
    remedy: 'call it again with the region as the kernel left it, until nr_pages is 0',
    find: (vm) => notRepeated(vm, 'KVM_TDX_INIT_MEM_REGION', ['EAGAIN', 'EINTR', 'EBUSY']),
  },
  {
    id: 'finalize-vm.not-repeated',
    severity: 'error',
    problem: 'KVM_TDX_FINALIZE_VM met a busy TD, and was not tried again',
    checks: ['finalize-vm.busy'],
    kernel: 'the module was busy with the TD; nothing has changed',
    remedy: 'repeat it on EBUSY and EINTR',
    find: (vm) => notRepeated(vm, 'KVM_TDX_FINALIZE_VM', ['EBUSY', 'EINTR']),
  },
  {
    id: 'capabilities.gave-up',
    severity: 'error',
    problem: 'KVM_TDX_CAPABILITIES was given up while the answer had no room',
    checks: ['capabilities.buffer-too-small'],
    kernel: 'the kernel does not say how much room it needs',
    remedy: 'double cpuid.nent until it is not E2BIG; 256 is always enough',
    find: (vm) => notRepeated(vm, 'KVM_TDX_CAPABILITIES', ['E2BIG']),
  },
];

/** Gives the last call of a request on this VM, if it ended with one of these errnos. */
function notRepeated(vm: VmHistory, request: string, errnos: readonly string[]): Found[] {
  const last = vm.last.get(request);
  const gaveUp = last !== undefined && !succeeded(last) && errnos.includes(errnoOf(last) ?? '');
  return gaveUp ? [{ at: last }] : [];
}
