import { TdctlError } from '../errors/index.ts';
import { type FirmwareImage, predictMrtd } from '../firmware/index.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

/** KVM adds and measures page by page, so a TD made here never has a section-order MRTD. */
export function predictedMrtd(firmware: FirmwareImage): string {
  return predictMrtd(firmware, { order: 'page' }).mrtd;
}

/** An expected value of the same image in section order is told apart from another image. */
export function checkExpectation(
  spec: TrustDomain,
  { firmware, predicted }: { readonly firmware: FirmwareImage; readonly predicted: string },
): void {
  const { expect } = spec.measurement;
  if (expect === undefined || expect === predicted) return;
  const isSectionOrder = expect === predictMrtd(firmware, { order: 'section' }).mrtd;
  throw new TdctlError({
    code: 'TDCTL_E_MEASUREMENT_MISMATCH',
    op: 'compare the measurement',
    place: spec.source.locate('spec.measurement.expect'),
    message: isSectionOrder
      ? 'the expected MRTD is that of this image in section order; KVM measures in page order'
      : 'this firmware image will not give the MRTD that the file expects',
    details: [`expected: ${expect}`, `will be:  ${predicted}`],
    hint: isSectionOrder
      ? 'expect the page-order value: `tdctl measure FIRMWARE --order page` prints it'
      : 'check that spec.firmware names the image that was measured: `tdctl measure FIRMWARE`',
  });
}
