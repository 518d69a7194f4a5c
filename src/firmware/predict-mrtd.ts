import { MrtdStream, pageBytes } from '../abi/tdx/mrtd.ts';
import { isAddedAtBuild } from './sections.ts';
import type { TdvfSection } from './types.ts';

/**
 * The order in which a VMM measures the pages of a section. `page`: each page is added and then
 * extended before the next (Linux KVM since 6.16, so QEMU since 10.1; Google Compute Engine; Cloud
 * Hypervisor). `section`: all pages are added, then all extended (out-of-tree QEMU 8).
 */
export type MeasurementOrder = 'page' | 'section';

export interface MrtdPrediction {
  readonly order: MeasurementOrder;
  /** The MRTD in 96 hex digits. */
  readonly mrtd: string;
  /** The pages that TDH.MEM.PAGE.ADD adds, and of them those whose content is measured. */
  readonly addedPages: number;
  readonly measuredPages: number;
  /** How many bytes go into SHA-384. */
  readonly hashedBytes: number;
}

/** Predicts the MRTD of a TD built from this image alone, with the sections in metadata order. */
export function predictMrtd(
  image: { readonly bytes: Uint8Array; readonly sections: readonly TdvfSection[] },
  options: { readonly order: MeasurementOrder },
): MrtdPrediction {
  const { order } = options;
  const stream = new MrtdStream();
  let addedPages = 0;
  let measuredPages = 0;
  for (const section of image.sections.filter(isAddedAtBuild)) {
    const pages = Number(section.memorySizeBytes) / pageBytes;
    addedPages += pages;
    if (section.measured) {
      measuredPages += pages;
      measureSection[order](stream, section.gpa, sectionData(image.bytes, section));
    } else {
      addPages(stream, section.gpa, pages);
    }
  }
  const { hashedBytes } = stream;
  const mrtd = Buffer.from(stream.finalize()).toString('hex');
  return { order, mrtd, addedPages, measuredPages, hashedBytes };
}

const measureSection: Record<
  MeasurementOrder,
  (stream: MrtdStream, gpa: bigint, data: Uint8Array) => void
> = {
  page: (stream, gpa, data) => stream.addAndExtendPages(gpa, data),
  section: (stream, gpa, data) => {
    addPages(stream, gpa, data.length / pageBytes);
    for (let offset = 0; offset < data.length; offset += pageBytes) {
      stream.extendPage(gpa + BigInt(offset), data.subarray(offset, offset + pageBytes));
    }
  },
};

function addPages(stream: MrtdStream, gpa: bigint, pages: number): void {
  for (let page = 0; page < pages; page++) stream.pageAdd(gpa + BigInt(page * pageBytes));
}

/** A measured section is as large in memory as in the image: parseTdvf() refuses any other. */
function sectionData(bytes: Uint8Array, { dataOffset, rawSizeBytes }: TdvfSection): Uint8Array {
  return bytes.subarray(dataOffset, dataOffset + rawSizeBytes);
}
