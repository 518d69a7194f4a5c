/** These rules tell whether the key slot of a TD was given back. */
import { hasCommand } from '../../../abi/kvm/kernels/record.ts';
import { granted, isFinalized, isInitialized, type VmHistory } from '../history.ts';
import { madeBy } from '../traced.ts';
import type { LintRule, RuleTrace } from './rule.ts';

const references =
  'the VM, every vCPU and every guest_memfd hold the TD; the last close frees its key';

export const releaseRules: readonly LintRule[] = [
  {
    id: 'key-slot.still-held',
    severity: 'warning',
    problem: 'the VM was closed, and files of it were not: the key slot stays taken',
    kernel: references,
    remedy: 'close every vCPU and guest_memfd, and unmap the vCPUs',
    find: (vm, trace) => {
      const closedAt = vm.closed.get(vm.vm);
      const open = stillOpen(vm);
      if (closedAt === undefined || open.length === 0 || !judgesEnd(vm, trace)) return [];
      return [{ at: closedAt, detail: `never closed: ${open.join(', ')}` }];
    },
  },
  {
    id: 'key-slot.held-while-next',
    severity: 'warning',
    problem: 'another TD was made while files of a closed one were open: it took a second key slot',
    kernel: references,
    remedy: 'close every vCPU and guest_memfd together with the VM',
    find: (vm) => {
      const { next } = vm;
      const closedAt = vm.closed.get(vm.vm);
      if (closedAt === undefined || !isInitialized(vm)) return [];
      const open = filesOf(vm).filter(
        (file) => next !== undefined && (vm.closed.get(file) ?? Infinity) > next.line,
      );
      if (next === undefined || open.length === 0) return [];
      return [
        { at: next, detail: `${vm.vm} was closed on line ${closedAt}; open: ${open.join(', ')}` },
      ];
    },
  },
  {
    id: 'td.never-closed',
    severity: 'warning',
    problem: 'the TD was never closed: its key slot is taken for as long as somebody has its files',
    kernel: references,
    remedy: 'close the VM, its vCPUs and its guest_memfds',
    find: (vm, trace) =>
      vm.closed.has(vm.vm) || !judgesEnd(vm, trace)
        ? []
        : granted(vm, 'KVM_TDX_INIT_VM')
            .slice(-1)
            .map((at) => ({ at })),
  },
  {
    id: 'terminate-vm.not-used',
    severity: 'note',
    problem: 'the TD was closed without KVM_TDX_TERMINATE_VM: its memory goes page by page, slowly',
    kernel:
      'this kernel can free the key slot before the memory, which saves minutes on a large TD',
    remedy: 'call KVM_TDX_TERMINATE_VM when every vCPU has left KVM_RUN, then close the files',
    find: (vm, { kernelAbi }) => {
      const closedAt = vm.closed.get(vm.vm);
      const offers = hasCommand(kernelAbi, 'KVM_TDX_TERMINATE_VM');
      const used = vm.calls.some(({ record }) => record.request === 'KVM_TDX_TERMINATE_VM');
      return offers && !used && closedAt !== undefined && isFinalized(vm) ? [{ at: closedAt }] : [];
    },
  },
];

/** A trace that was cut off, or that has no close(), tells nothing about what came after. */
function judgesEnd(vm: VmHistory, { end }: RuleTrace): boolean {
  return end?.isWhole === true && end.tellsCloses && isInitialized(vm);
}

function filesOf(vm: VmHistory): string[] {
  const makers = ['KVM_CREATE_VCPU', 'KVM_CREATE_GUEST_MEMFD'];
  return makers.flatMap((request) => granted(vm, request).flatMap((call) => madeBy(call) ?? []));
}

function stillOpen(vm: VmHistory): string[] {
  return filesOf(vm).filter((file) => !vm.closed.has(file));
}
