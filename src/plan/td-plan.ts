/** Everything that is decided before the first ioctl, and everything that stands against it. */
import type { BindingLimit } from '../../machines/td-lifecycle/limits.ts';
import type { TdctlError } from '../errors/index.ts';
import type { FirmwareImage } from '../firmware/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import { afterStart, type PlanWarning } from './after-start.ts';
import type { PlannedBoot } from './boot.ts';
import { judgeTd } from './judge/judge.ts';
import { factsOf, type JudgedHost } from './judge/objection.ts';
import { type PrepareOptions, prepareTd } from './judge/prepare.ts';
import { vcpuLimitOf } from './judge/vcpus.ts';
import type { MemoryLayout } from './memory-layout.ts';

export interface TdPlan {
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly facts: HostFacts;
  /** All vCPUs are created before FINALIZE_VM: those that start, then those left as headroom. */
  readonly vcpuIds: readonly number[];
  readonly bindingLimit: BindingLimit;
  /** The limit that a VM fd of the host gave, where one was asked. */
  readonly maxVcpus: number | undefined;
  readonly layout: MemoryLayout;
  /** What the VM starts in place of its firmware, where `spec.boot` is given and its files were read. */
  readonly boot: PlannedBoot | undefined;
  /** The MRTD in 96 hex digits, as KVM adds and measures page by page. */
  readonly predictedMrtd: string;
}

export interface PlanOptions extends PrepareOptions {
  readonly spec: TrustDomain;
  /** What is known of the host; its facts must be. */
  readonly host: JudgedHost;
}

export interface Assessment {
  /** All findings, each as it would end a run. */
  readonly findings: readonly TdctlError[];
  /** What the guest may meet after its start; none of it keeps the TD from starting. */
  readonly warnings: readonly PlanWarning[];
  /** The plan is there unless a finding keeps it from being made. */
  readonly plan: TdPlan | undefined;
}

/** @throws the first finding, a TdctlError. */
export function planTd(options: PlanOptions): TdPlan {
  const { findings, plan } = assessTd(options);
  const [first] = findings;
  if (first) throw first;
  if (!plan) throw new Error('a plan without findings was not made');
  return plan;
}

export function assessTd({ spec, host, ...options }: PlanOptions): Assessment {
  const facts = factsOf(host);
  const td = prepareTd(spec, options);
  const findings = judgeTd(td, host).map(({ error }) => error());
  const warnings = afterStart(spec);
  const { firmware, layout, predictedMrtd, boot } = td;
  const limit = vcpuLimitOf(host);
  if (!facts || !limit || spec.maxVcpus > limit.value || !firmware || !layout || !predictedMrtd)
    return { findings, warnings, plan: undefined };
  return {
    findings,
    warnings,
    plan: {
      spec,
      firmware,
      facts,
      vcpuIds: Array.from({ length: spec.maxVcpus }, (_, id) => id),
      bindingLimit: limit,
      maxVcpus: host.offer?.maxVcpus,
      layout,
      boot,
      predictedMrtd,
    },
  };
}
