/** The contract of `tdctl plan --output json` and `yaml` (docs/plan.md). */

import { errorData } from '../../errors/index.ts';
import { hostIdentity } from '../../host/identity.ts';
import { expectedSteps, footprintOf, hostPamt, type TdPlan } from '../../plan/index.ts';
import type { VmmAssessment } from '../../vmm/index.ts';
import type { Content } from '../output/contract/index.ts';
import {
  kernelData,
  keySlotsData,
  limitsData,
  moduleData,
  twinIdentity,
} from '../output/host-parts.ts';
import type { ExpectedTimes } from './expected-times.ts';
import { bootData, firmwareData, initialPagesData } from './plan-parts.ts';
import type { PlanReport } from './report.ts';

export function planData(report: PlanReport): Content<'tdctl.Plan'> {
  const { spec, offer, keySlots, findings, warnings, plan, times } = report;
  return {
    td: spec.name,
    engine: spec.engine.kind,
    host: hostIdentity(offer.facts),
    kernel: kernelData(offer.facts),
    module: moduleData(offer.facts),
    findings: findings.map(errorData),
    warnings,
    vcpus: { started: spec.vcpus, created: spec.maxVcpus },
    limits: limitsData(offer),
    keySlots: keySlotsData(keySlots),
    cgroupRoom: report.cgroupRoom ?? null,
    plan: plan ? madePlan(plan, report.memory) : null,
    vmm: report.vmm ? vmmData(report.vmm) : null,
    // These times are simulated, and come mostly from guesses (docs/simulator.md).
    expectedTimes: times ? timesInMs(times, spec.engine.kind === 'builtin') : null,
  };
}

function vmmData({ program, command, parts, measuredBoot, isReproducible }: VmmAssessment) {
  return {
    qemu: program ?? null,
    launch: command,
    parts: parts.map(({ name, field, words }) => ({ name, field, args: words })),
    measuredBoot: measuredBoot.map(({ digest, words, ...input }) => ({
      ...input,
      sha384: digest ?? null,
      note: words,
    })),
    isReproducible,
  };
}

function timesInMs({ host, stepNs, teardownNs }: ExpectedTimes, hasSteps: boolean) {
  const steps = hasSteps ? Object.entries(stepNs) : [];
  return {
    host: twinIdentity(host),
    stepMs: Object.fromEntries(steps.map(([step, ns]) => [step, toMs(ns)])),
    teardown: {
      withoutTerminateVmMs: toMs(teardownNs.withoutTerminateVm),
      withTerminateVmMs: toMs(teardownNs.withTerminateVm),
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
    boot: bootData(plan),
    measurement: { mrtd: predictedMrtd, expected: spec.measurement.expect ?? null },
    memorySlots: layout.slots,
    initialPages: initialPagesData(plan),
    // Another engine makes requests of its own.
    steps: spec.engine.kind === 'builtin' ? expectedSteps(plan) : [],
    footprint,
    pamt: hostPamt(memory, { facts, tdBytes: footprint.totalBytes }),
  };
}
