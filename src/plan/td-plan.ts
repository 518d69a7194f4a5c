/** Everything that is decided before the first ioctl. */
import type { BindingLimit } from '../../machines/td-lifecycle/limits.ts';
import { TdctlError } from '../errors/index.ts';
import { type FirmwareImage, predictMrtd } from '../firmware/index.ts';
import type { HostFacts } from '../host/facts.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import { layoutMemory, type MemoryLayout } from './memory-layout.ts';
import { checkVcpus } from './vcpu-limits.ts';

export interface TdPlan {
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly facts: HostFacts;
  /** Created before FINALIZE_VM: those that start, then those left offline as headroom. */
  readonly vcpuIds: readonly number[];
  readonly bindingLimit: BindingLimit;
  readonly layout: MemoryLayout;
  /** 96 hex digits: KVM adds and measures page by page. */
  readonly predictedMrtd: string;
}

export interface PlanOptions {
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage;
  readonly facts: HostFacts;
}

export function planTd({ spec, firmware, facts }: PlanOptions): TdPlan {
  const predictedMrtd = predictMrtd(firmware, { order: 'page' }).mrtd;
  checkExpectation(spec, { firmware, predictedMrtd });
  return {
    spec,
    firmware,
    facts,
    vcpuIds: Array.from({ length: spec.maxVcpus }, (_, id) => id),
    bindingLimit: checkVcpus(spec, facts),
    layout: layoutMemory(spec, firmware),
    predictedMrtd,
  };
}

/**
 * KVM measures in page order only, so a TD made here never has a section-order MRTD. An expected
 * value that fits the image in section order is still told apart from a different image.
 */
function checkExpectation(
  spec: TrustDomain,
  { firmware, predictedMrtd }: { firmware: FirmwareImage; predictedMrtd: string },
): void {
  const { expect } = spec.measurement;
  if (expect === undefined || expect === predictedMrtd) return;
  const isSectionOrder = expect === predictMrtd(firmware, { order: 'section' }).mrtd;
  throw new TdctlError({
    code: 'TDCTL_E_MEASUREMENT_MISMATCH',
    op: 'compare the measurement',
    place: spec.source.locate('spec.measurement.expect'),
    message: isSectionOrder
      ? 'the expected MRTD is that of this image in section order; KVM measures in page order'
      : 'this firmware image will not give the MRTD that the file expects',
    details: [`expected: ${expect}`, `will be:  ${predictedMrtd}`],
    hint: isSectionOrder
      ? 'expect the page-order value: `tdctl measure FIRMWARE --order page` prints it'
      : 'check that spec.firmware names the image that was measured: `tdctl measure FIRMWARE`',
  });
}
