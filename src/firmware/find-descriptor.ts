/**
 * Finds the TDVF descriptor, which says what of an image goes where in the TD.
 *
 * Two ways lead to it. Current images have a table of GUIDed entries just below the reset vector,
 * read backwards from its footer; one entry holds the descriptor's distance from the end of the
 * file. Older ones, and td-shim, have the descriptor's offset at a fixed place.
 * Source: TDX Virtual Firmware Design Guide; edk2 OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.nasm.inc.
 */
import { firmwareInvalid } from './firmware-error.ts';
import { guidBytes } from './guid.ts';
import { hex } from './hex.ts';
import type { DescriptorLocation } from './types.ts';

const tableFooterGuid = guidBytes('96b582de-1fb2-45f7-baea-a366c55a082d');
const tdxMetadataText = 'e47a6535-984a-4798-865e-4685a7bf8ec2';
const tdxMetadataGuid = guidBytes(tdxMetadataText);

const guidSize = 16;
/** Every entry ends with its length (u16) and its GUID. The length counts these too. */
const entryTrailerBytes = 2 + guidSize;
const tdxMetadataEntryBytes = 4 + entryTrailerBytes;
/** The table ends this far before the end of the file, where the legacy offset stands too. */
const tableEndFromFileEnd = 0x20;

const signature = 0x4656_4454; // "TDVF", little-endian
export const descriptorHeaderBytes = 16;

interface GuidedEntry {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly guid: Uint8Array;
}

/** `view` covers the whole image, at least one page. It throws TDCTL_E_FIRMWARE_INVALID. */
export function findDescriptor(view: DataView, place: string | undefined): DescriptorLocation {
  const entries = readGuidedTable(view, place);
  const entry = entries?.find((candidate) => tdxMetadataGuid.equals(candidate.guid));
  if (entry) return followEntry(view, entry, place);

  const legacy = view.getUint32(view.byteLength - tableEndFromFileEnd, true);
  if (hasSignature(view, legacy)) return { offset: legacy, foundBy: 'legacy-offset' };

  throw entries ? noTdxEntry(entries.length, place) : noMetadata(view.byteLength, place);
}

/** Gives the entries from the last to the first; undefined where the image has no such table. */
function readGuidedTable(view: DataView, place: string | undefined): GuidedEntry[] | undefined {
  const tableEnd = view.byteLength - tableEndFromFileEnd;
  if (!tableFooterGuid.equals(bytesAt(view, tableEnd - guidSize, guidSize))) return undefined;

  const firstEntryEnd = tableEnd - entryTrailerBytes;
  const tableBytes = view.getUint16(firstEntryEnd, true);
  const tableStart = tableEnd - tableBytes;
  if (tableBytes < entryTrailerBytes || tableStart < 0) {
    throw brokenTable(firstEntryEnd, `a total length of ${tableBytes} bytes`, place);
  }

  const entries: GuidedEntry[] = [];
  let end = firstEntryEnd;
  while (end > tableStart) {
    const trailer = end - entryTrailerBytes;
    if (trailer < tableStart) throw brokenTable(tableStart, 'a piece of an entry', place);
    const lengthBytes = view.getUint16(trailer, true);
    const offset = end - lengthBytes;
    if (lengthBytes < entryTrailerBytes || offset < tableStart) {
      throw brokenTable(trailer, `an entry length of ${lengthBytes} bytes`, place);
    }
    entries.push({ offset, lengthBytes, guid: bytesAt(view, trailer + 2, guidSize) });
    end = offset;
  }
  return entries;
}

function followEntry(
  view: DataView,
  entry: GuidedEntry,
  place: string | undefined,
): DescriptorLocation {
  if (entry.lengthBytes !== tdxMetadataEntryBytes) {
    throw brokenTable(
      entry.offset,
      `a TDX metadata entry of ${entry.lengthBytes} bytes instead of ${tdxMetadataEntryBytes}`,
      place,
    );
  }
  const fromEnd = view.getUint32(entry.offset, true);
  const offset = view.byteLength - fromEnd;
  if (!hasSignature(view, offset)) {
    const what = isInside(view, offset, descriptorHeaderBytes)
      ? `to offset ${hex(offset)}, where the signature TDVF is not`
      : `${hex(fromEnd)} bytes before the end of a file of ${hex(view.byteLength)} bytes, where no descriptor fits`;
    throw firmwareInvalid({
      place,
      message: `the TDX metadata entry at offset ${hex(entry.offset)} points ${what}`,
      hint: damagedHint,
    });
  }
  return { offset, foundBy: 'guided-table' };
}

function hasSignature(view: DataView, offset: number): boolean {
  return (
    isInside(view, offset, descriptorHeaderBytes) && view.getUint32(offset, true) === signature
  );
}

function isInside(view: DataView, offset: number, length: number): boolean {
  return offset >= 0 && offset + length <= view.byteLength;
}

function bytesAt(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

export const damagedHint = 'the file is damaged or was built wrongly: fetch or build it again';

function brokenTable(offset: number, what: string, place: string | undefined) {
  return firmwareInvalid({
    place,
    message: `the table of GUIDed entries is broken: ${what} at offset ${hex(offset)}`,
    hint: damagedHint,
  });
}

function noTdxEntry(entries: number, place: string | undefined) {
  return firmwareInvalid({
    place,
    message:
      `the image has no TDVF metadata: its table of GUIDed entries has ${entries} ` +
      `${entries === 1 ? 'entry' : 'entries'}, and none is the TDX metadata offset ` +
      `(${tdxMetadataText}), so the firmware was built without TDX`,
    hint:
      "use a firmware that was built with TDX: of Debian 12's, /usr/share/ovmf/OVMF.fd was, and " +
      'the *_4M* images were not',
  });
}

function noMetadata(sizeBytes: number, place: string | undefined) {
  const tableEnd = sizeBytes - tableEndFromFileEnd;
  return firmwareInvalid({
    place,
    message:
      'the image has no TDVF metadata: no table of GUIDed entries ends at offset ' +
      `${hex(tableEnd)}, and no legacy pointer to a descriptor stands there`,
    hint:
      "use a firmware that was built with TDX, such as Debian's /usr/share/ovmf/OVMF.fd; if this " +
      'should be one, its end is missing: fetch it again',
  });
}
