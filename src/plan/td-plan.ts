/** Everything that is decided before the first ioctl, and everything that stands against it. */
import type { BindingLimit } from '../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../errors/index.ts';
import type { FirmwareImage } from '../firmware/index.ts';
import type { HostFacts, KeySlots } from '../host/facts.ts';
import type { HostOffer } from '../host/offer.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import { afterStart, type PlanWarning } from './after-start.ts';
import { buildInitVm } from './init-vm.ts';
import { checkCgroup, checkKeySlots } from './key-slots.ts';
import { checkExpectation, predictedMrtd } from './measurement.ts';
import { layoutMemory, type MemoryLayout } from './memory-layout.ts';
import { checkVcpus } from './vcpu-limits.ts';

export interface TdPlan {
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly facts: HostFacts;
  /** All vCPUs are created before FINALIZE_VM: those that start, then those left as headroom. */
  readonly vcpuIds: readonly number[];
  readonly bindingLimit: BindingLimit;
  readonly layout: MemoryLayout;
  /** The MRTD in 96 hex digits, as KVM adds and measures page by page. */
  readonly predictedMrtd: string;
}

export interface PlanOptions {
  readonly spec: TrustDomain;
  /** undefined means that it cannot be used, which is a finding; the rest is judged anyway. */
  readonly firmware: FirmwareImage | undefined;
  readonly facts: HostFacts;
  /** What a VM fd of the host told. Without it, INIT_VM is checked when the run gets there. */
  readonly offer?: HostOffer;
  /** Without the key slots, a full host is found when the run gets there. */
  readonly keySlots?: KeySlots | undefined;
  /** The room as Host.cgroupRoom() tells it. */
  readonly cgroupRoom?: number | undefined;
  /** A TD is made even if its MRTD is not the one that its file expects. */
  readonly ignoreExpectation?: boolean;
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

export function assessTd(options: PlanOptions): Assessment {
  const { spec, firmware, facts, offer, keySlots } = options;
  const findings: TdctlError[] = [];
  const attempt = <Output>(work: () => Output): Output | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TdctlError)) throw error;
      findings.push(error);
      return undefined;
    }
  };

  const bindingLimit = attempt(() => checkVcpus(spec, facts, offer?.maxVcpus));
  const layout = firmware && attempt(() => layoutMemory(spec, firmware));
  const predicted = firmware && predictedMrtd(firmware);
  if (firmware && predicted && !options.ignoreExpectation) {
    attempt(() => checkExpectation(spec, { firmware, predicted }));
  }
  if (offer) attempt(() => buildInitVm(spec, offer));
  attempt(() => checkKeySlots(facts, keySlots));
  attempt(() => checkCgroup(facts, options.cgroupRoom));
  const warnings = afterStart(spec);
  if (!bindingLimit || !firmware || !layout || !predicted)
    return { findings, warnings, plan: undefined };
  return {
    findings,
    warnings,
    plan: {
      spec,
      firmware,
      facts,
      vcpuIds: Array.from({ length: spec.maxVcpus }, (_, id) => id),
      bindingLimit,
      layout,
      predictedMrtd: predicted,
    },
  };
}
