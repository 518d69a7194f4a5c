import { pageBytes } from '../abi/tdx/mrtd.ts';
import { asTdvfSection, checkSections } from './check-sections.ts';
import { damagedHint, descriptorHeaderBytes, findDescriptor } from './find-descriptor.ts';
import { firmwareInvalid } from './firmware-error.ts';
import { hex } from './hex.ts';
import { type RawSection, readSection, sectionEntryBytes } from './sections.ts';
import type { TdvfMetadata } from './types.ts';
import { checkVariableStore } from './variable-store.ts';

export interface ParseTdvfOptions {
  /** The file that errors name. */
  readonly place?: string | undefined;
  /** How many of the first bytes came from a separate variable store. */
  readonly varsSizeBytes?: number | undefined;
}

const supportedVersion = 1;
/** QEMU wants at least two. Real images have six or seven; the upper bound keeps checks cheap. */
const sectionCount = { min: 2, max: 256 } as const;

/**
 * Reads and checks the TDVF metadata of a whole image.
 *
 * It never reads outside `bytes`. It throws TDCTL_E_FIRMWARE_INVALID, and nothing else, when the
 * image cannot start a TD; when several sections are wrong, `details` has them all.
 */
export function parseTdvf(bytes: Uint8Array, options: ParseTdvfOptions = {}): TdvfMetadata {
  const { place, varsSizeBytes } = options;
  const sizeBytes = bytes.length;
  checkSize(sizeBytes, place);
  const view = new DataView(bytes.buffer, bytes.byteOffset, sizeBytes);
  const descriptor = findDescriptor(view, place);
  const sections = readDescriptor(view, descriptor.offset, place);
  checkVariableStore({ sections, sizeBytes, varsSizeBytes, place });
  const findings = checkSections(sections, sizeBytes);
  if (findings.length > 0) throw sectionsInvalid(findings, place);
  return { descriptor, sections: sections.map(asTdvfSection) };
}

function checkSize(sizeBytes: number, place: string | undefined): void {
  if (sizeBytes > 0 && sizeBytes % pageBytes === 0) return;
  throw firmwareInvalid({
    place,
    message: `the file has ${sizeBytes} bytes; a firmware image is a whole number of 4096-byte pages`,
    hint: 'it is not a firmware image, or it is cut off: check the path, or fetch it again',
  });
}

function readDescriptor(view: DataView, offset: number, place: string | undefined): RawSection[] {
  const lengthBytes = view.getUint32(offset + 4, true);
  const version = view.getUint32(offset + 8, true);
  const count = view.getUint32(offset + 12, true);
  const broken = (what: string) =>
    firmwareInvalid({
      place,
      message: `the TDVF descriptor at offset ${hex(offset)} ${what}`,
      hint: damagedHint,
    });

  if (version !== supportedVersion) {
    throw broken(`has version ${version}; only version ${supportedVersion} is defined`);
  }
  if (count < sectionCount.min || count > sectionCount.max) {
    throw broken(
      `lists ${count} sections; from ${sectionCount.min} to ${sectionCount.max} make sense`,
    );
  }
  const expectedBytes = descriptorHeaderBytes + count * sectionEntryBytes;
  if (lengthBytes !== expectedBytes) {
    throw broken(
      `gives its length as ${lengthBytes} bytes; its ${count} sections make it ${expectedBytes}`,
    );
  }
  if (offset + lengthBytes > view.byteLength) {
    throw broken(`has ${lengthBytes} bytes and reaches over the end of the file`);
  }
  return Array.from({ length: count }, (_, index) =>
    readSection(view, offset + descriptorHeaderBytes + index * sectionEntryBytes, index),
  );
}

function sectionsInvalid(findings: readonly string[], place: string | undefined) {
  const [only] = findings;
  const isOne = findings.length === 1 && only !== undefined;
  return firmwareInvalid({
    place,
    message: isOne ? only : `the TDVF metadata has ${findings.length} mistakes`,
    details: isOne ? [] : findings,
    hint: damagedHint,
  });
}
