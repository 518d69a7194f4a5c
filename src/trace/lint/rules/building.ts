/** These rules find what a TD lacks though every call was taken. */

import { granted, isFinalized, isInitialized, type KeptCall, type VmHistory } from '../history.ts';
import { madeBy } from '../traced.ts';
import type { Found, LintRule } from './rule.ts';

export const buildingRules: readonly LintRule[] = [
  {
    id: 'finalize-vm.nothing-added',
    severity: 'warning',
    problem: 'the TD was finalised without any memory: there is nothing in it to run',
    kernel: 'KVM_TDX_FINALIZE_VM counts no pages; nothing can be added after it',
    remedy: 'add the firmware and its tables by KVM_TDX_INIT_MEM_REGION before',
    find: (vm) =>
      finalized(vm).filter(() => vm.pages.all === 0n && !asked(vm, 'KVM_TDX_INIT_MEM_REGION')),
  },
  {
    id: 'finalize-vm.nothing-measured',
    severity: 'warning',
    problem: 'the TD was finalised with memory of which nothing was measured',
    kernel: 'MRTD covers where the pages are, and no byte of what is in them',
    remedy:
      'set KVM_TDX_MEASURE_MEMORY_REGION for the sections that the firmware marks so: `tdctl measure` says which',
    find: (vm) => {
      const { all, measured } = vm.pages;
      return all > 0n && measured === 0n ? finalized(vm) : [];
    },
  },
  {
    id: 'td.never-finalized',
    severity: 'warning',
    problem: 'the TD was initialised, and never finalised: it holds a key slot and cannot run',
    kernel: 'KVM_RUN is EINVAL until KVM_TDX_FINALIZE_VM',
    remedy: 'finalise it, or close it',
    find: (vm, { stopped }) =>
      !isInitialized(vm) || isFinalized(vm) || stopped.has(vm)
        ? []
        : granted(vm, 'KVM_TDX_INIT_VM').slice(-1).map(found),
  },
  {
    id: 'vcpu.never-initialized',
    severity: 'warning',
    problem: 'the vCPU was made and not initialised before the TD was finalised: it can never run',
    kernel: 'KVM_TDX_INIT_VCPU is EINVAL after KVM_TDX_FINALIZE_VM',
    checks: ['command.td-not-in-building'],
    remedy: 'call KVM_TDX_INIT_VCPU for every vCPU before, also for those that start offline',
    find: (vm) => {
      const ready = new Set(granted(vm, 'KVM_TDX_INIT_VCPU').map(({ record }) => record.object));
      return isFinalized(vm)
        ? granted(vm, 'KVM_CREATE_VCPU')
            .filter((call) => !ready.has(madeBy(call) ?? ''))
            .map(found)
        : [];
    },
  },
  {
    id: 'exit-hypercall.off',
    severity: 'warning',
    problem: 'the TD runs while the VMM does not take MapGPA: the guest cannot share any memory',
    kernel: 'without KVM_CAP_EXIT_HYPERCALL the guest gets SUBFUNC_UNSUPPORTED, and no exit comes',
    remedy: 'enable KVM_CAP_EXIT_HYPERCALL with KVM_HC_MAP_GPA_RANGE (0x1000), and convert memory',
    find: (vm) => (vm.takesMapGpa ? [] : granted(vm, 'KVM_RUN').slice(0, 1).map(found)),
  },
  {
    id: 'capabilities.not-asked',
    severity: 'note',
    problem: 'KVM_TDX_CAPABILITIES was not asked: attributes, XFAM and CPUID are guesses',
    kernel: 'KVM_TDX_INIT_VM refuses what the host does not offer, and says only EINVAL',
    remedy: 'ask first, and take only what it lists',
    find: (vm) =>
      vm.made === undefined || asked(vm, 'KVM_TDX_CAPABILITIES')
        ? []
        : granted(vm, 'KVM_TDX_INIT_VM').slice(0, 1).map(found),
  },
  {
    id: 'max-vcpus.asked-elsewhere',
    severity: 'note',
    problem: 'KVM_CAP_MAX_VCPUS was asked of /dev/kvm, and not of the VM',
    kernel: 'only the VM tells what a TD may have: no more than the host has CPUs',
    remedy: 'ask KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS) on the descriptor of the VM',
    find: (vm, { history }) => {
      if (granted(vm, 'KVM_CREATE_VCPU').length === 0 || vm.asksMaxVcpus) return [];
      return history.maxVcpusAsked === undefined ? [] : [{ at: history.maxVcpusAsked }];
    },
  },
];

function finalized(vm: VmHistory): Found[] {
  return granted(vm, 'KVM_TDX_FINALIZE_VM').map(found);
}

function found(at: KeptCall): Found {
  return { at };
}

function asked(vm: VmHistory, request: string): boolean {
  return vm.calls.some(({ record }) => record.request === request);
}
