/** These rules find calls that a TD has no use for. */
import { granted, type KeptCall } from '../history.ts';
import type { TracedCall } from '../traced.ts';
import type { Found, LintRule } from './rule.ts';

export const superfluousRules: readonly LintRule[] = [
  {
    id: 'capabilities.again',
    severity: 'note',
    problem: 'KVM_TDX_CAPABILITIES was asked again after it had answered',
    kernel: 'the answer is the same in every state of the TD',
    remedy: 'keep the first answer',
    find: (vm) => granted(vm, 'KVM_TDX_CAPABILITIES').slice(1).map(found),
  },
  {
    id: 'set-tsc-khz.no-effect',
    severity: 'warning',
    problem: 'the TSC frequency was set when the TD already had one: the guest does not get it',
    kernel: 'KVM_TDX_INIT_VM hands the frequency to the module; what is set later changes nothing',
    remedy: 'set it on the VM before KVM_TDX_INIT_VM',
    find: (vm) => {
      const [init] = granted(vm, 'KVM_TDX_INIT_VM');
      const isLate = ({ line, record }: TracedCall) =>
        init !== undefined && line > init.line && record.object === vm.vm;
      return granted(vm, 'KVM_SET_TSC_KHZ').filter(isLate).map(found);
    },
  },
  {
    id: 'encrypt-region.of-sev',
    severity: 'note',
    problem: 'memory was registered for encryption: that is of SEV',
    kernel: 'KVM has no such operation for a TD: ENOTTY',
    remedy: 'leave it out',
    find: (vm) =>
      vm.calls
        .filter(({ record }) => /^KVM_MEMORY_ENCRYPT_(UN)?REG_REGION$/.test(record.request))
        .map(found),
  },
];

function found(at: KeptCall): Found {
  return { at };
}
