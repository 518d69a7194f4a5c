import type { VcpuLimits } from './context.ts';

export interface BindingLimit {
  readonly name: keyof VcpuLimits;
  readonly value: number;
}

/** Messages use these words, which say which number it is and where it comes from. */
export const limitNames = {
  module: "the TDX module's max_vcpus_per_td",
  presentCpus: 'the logical CPUs present in the host',
  kvm: "KVM's own KVM_MAX_VCPUS",
  perVm: "this VM's KVM_CAP_MAX_VCPUS",
} as const satisfies Record<keyof VcpuLimits, string>;

// Where two limits are equal, the root cause is named: KVM derives the per-VM number from the others.
const byRootCause = ['presentCpus', 'module', 'kvm', 'perVm'] as const;

/** Gives the smallest limit: how many vCPUs one TD may have here, and which number sets that. */
export function bindingLimit(limits: VcpuLimits): BindingLimit {
  return byRootCause
    .flatMap((name) => {
      const value = limits[name];
      return value === null ? [] : [{ name, value }];
    })
    .reduce((lowest, limit) => (limit.value < lowest.value ? limit : lowest));
}
