/** The rules of all MSRs that KVM knows on an Intel host. Of two rows for an index, the first counts. */
import type { MsrRule, RangeRule } from '../rule.ts';
import { cpuRules } from './cpu.ts';
import { featureRules } from './features.ts';
import { hypervRules } from './hyperv.ts';
import { kvmPvRules } from './kvm-pv.ts';
import { lapicRules } from './lapic.ts';
import { legacyRules } from './legacy.ts';
import { machineCheckRules } from './machine-check.ts';
import { mtrrRules } from './mtrr.ts';
import { pmuRules } from './pmu.ts';
import { speculationRules } from './speculation.ts';
import { tscRules } from './tsc.ts';
import { vmxRules } from './vmx.ts';
import { xstateRules } from './xstate.ts';

const rules: readonly RangeRule[] = [
  ...cpuRules,
  ...tscRules,
  ...featureRules,
  ...vmxRules,
  ...xstateRules,
  ...speculationRules,
  ...mtrrRules,
  ...machineCheckRules,
  ...lapicRules,
  ...pmuRules,
  ...kvmPvRules,
  ...hypervRules,
  ...legacyRules,
];

const byIndex = new Map<number, MsrRule>();
for (const { first, last = first, ...rule } of rules) {
  for (let index = first; index <= last; index++) {
    if (!byIndex.has(index)) byIndex.set(index, rule);
  }
}

/** Undefined where KVM knows no such MSR. */
export function ruleOf(index: number): MsrRule | undefined {
  return byIndex.get(index);
}
