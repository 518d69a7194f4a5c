/** What of a TD is the same on every host, found once for all of them. */
import { TdctlError } from '../../errors/index.ts';
import type { FirmwareImage } from '../../firmware/index.ts';
import type { BootImages } from '../../guest/boot/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { bootOf, type PlannedBoot } from '../boot.ts';
import { checkExpectation, predictedMrtd } from '../measurement.ts';
import { layoutMemory, type MemoryLayout } from '../memory-layout.ts';
import { always, type Objection, type ReasonId } from './objection.ts';

export interface PreparedTd {
  readonly spec: TrustDomain;
  readonly firmware: FirmwareImage | undefined;
  readonly layout: MemoryLayout | undefined;
  readonly predictedMrtd: string | undefined;
  /** What starts in place of the firmware, on a host that does that. */
  readonly boot: PlannedBoot | undefined;
  /** What stands against that. */
  readonly bootObjections: readonly Objection[];
  /** What stands against it wherever it would start. */
  readonly objections: readonly Objection[];
}

export interface PrepareOptions {
  /** The image, or why it cannot be used; undefined: nobody looked. */
  readonly firmware?: FirmwareImage | TdctlError | undefined;
  /** The kernel and initrd of `spec.boot`, or why they cannot be used; undefined: nobody looked. */
  readonly boot?: BootImages | TdctlError | undefined;
  /** A TD is made even if its MRTD is not the one that its file expects. */
  readonly ignoreExpectation?: boolean | undefined;
}

export function prepareTd(spec: TrustDomain, options: PrepareOptions = {}): PreparedTd {
  const objections: Objection[] = [];
  const bootObjections: Objection[] = [];
  const attempt = <Output>(id: ReasonId, work: () => Output): Output | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TdctlError)) throw error;
      (id === 'boot' ? bootObjections : objections).push(objectionOf(error, id));
      return undefined;
    }
  };
  const { firmware: given, boot: images, ignoreExpectation = false } = options;
  if (given instanceof TdctlError) objections.push(objectionOf(given, 'firmware'));
  const firmware = given instanceof TdctlError ? undefined : given;
  const layout = firmware && attempt('memory', () => layoutMemory(spec, firmware));
  const predicted = firmware && predictedMrtd(firmware);
  if (firmware && predicted && !ignoreExpectation) {
    attempt('measurement', () => checkExpectation(spec, { firmware, predicted }));
  }
  const boot =
    images &&
    layout &&
    attempt('boot', () => {
      if (images instanceof TdctlError) throw images;
      // Another engine hands the kernel to the firmware, which starts it.
      if (spec.engine.kind !== 'builtin') return undefined;
      return bootOf(spec, images, layout);
    });
  return { spec, firmware, layout, predictedMrtd: predicted, boot, objections, bootObjections };
}

/** The layout may refuse what the image asks for, and not the file. */
function objectionOf(error: TdctlError, id: ReasonId): Objection {
  const isImage = error.code === 'TDCTL_E_FIRMWARE_INVALID';
  return { reasons: [always(isImage ? 'firmware' : id, error.message)], error: () => error };
}
