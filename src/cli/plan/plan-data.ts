/** The contract of `tdctl plan --output json` and `yaml` (docs/plan.md). */
import { bindingLimit } from '../../../machines/td-lifecycle/limits.ts';
import { vcpuLimits } from '../../host/facts.ts';
import { hostIdentity } from '../../host/identity.ts';
import { expectedSteps, footprintOf, hostPamt, type TdPlan } from '../../plan/index.ts';
import { errorEnvelope } from '../failure.ts';
import type { ExpectedTimes } from './expected-times.ts';
import { firmwareData, initialPagesData } from './plan-parts.ts';
import type { PlanReport } from './report.ts';

export function planData(report: PlanReport) {
  const { spec, offer, keySlots, findings, warnings, plan, times } = report;
  const limits = vcpuLimits(offer);
  const { name, value } = bindingLimit(limits);
  return {
    td: spec.name,
    host: hostIdentity(offer.facts),
    kernel: offer.facts.kernel.rules,
    module: offer.facts.module?.release ?? null,
    findings: findings.map((finding) => errorEnvelope(finding).error),
    warnings,
    vcpus: {
      started: spec.vcpus,
      created: spec.maxVcpus,
      limits: { ...limits, effective: value, binding: name },
    },
    keySlots: keySlots ?? null,
    cgroupRoom: report.cgroupRoom ?? null,
    plan: plan ? madePlan(plan, report.memory) : null,
    // These times are simulated, and come mostly from guesses (docs/simulator.md).
    expectedTimes: times ? timesInMs(times) : null,
  };
}

function timesInMs({ host, stepNs, teardownNs }: ExpectedTimes) {
  return {
    host,
    stepMs: Object.fromEntries(Object.entries(stepNs).map(([step, ns]) => [step, toMs(ns)])),
    teardownMs: {
      withoutTerminateVm: toMs(teardownNs.withoutTerminateVm),
      withTerminateVm: toMs(teardownNs.withTerminateVm),
    },
  };
}

function toMs(ns: bigint): number {
  return Number(ns) / 1e6;
}

function madePlan(plan: TdPlan, memory: PlanReport['memory']) {
  const { spec, facts, layout, predictedMrtd } = plan;
  const footprint = footprintOf(spec, { layout, facts });
  return {
    firmware: firmwareData(plan),
    measurement: { mrtd: predictedMrtd, expected: spec.measurement.expect ?? null },
    memorySlots: layout.slots,
    initialPages: initialPagesData(plan),
    steps: expectedSteps(plan),
    footprint,
    pamt: hostPamt(memory, { facts, tdBytes: footprint.totalBytes }),
  };
}
