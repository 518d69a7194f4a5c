/** The time stamp counter of a guest. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { guestHas } from '../../vcpu/guest-cpu-caps.ts';
import { guestTsc, synchronizeTsc } from '../../vcpu/guest-tsc.ts';
import type { RangeRule } from '../rule.ts';

export const tscRules: readonly RangeRule[] = [
  {
    first: msr.IA32_TSC,
    read: ({ kernel, vcpu }) => guestTsc(kernel, vcpu),
    keeps: () => undefined,
    written: (data, { kernel, vcpu }) => synchronizeTsc(kernel, vcpu, data),
  },
  {
    first: msr.IA32_TSC_ADJUST,
    // User space sets the value alone: the counter itself stays.
    keeps: (data, { kernel, vcpu }) => (guestHas(kernel, vcpu, 'TSC_ADJUST') ? data : undefined),
  },
];
