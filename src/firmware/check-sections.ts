/**
 * These rules must hold of the sections, so that a launch by a VMM that knows their types works and the
 * measurement has one answer only. Each says in a clause how it is broken. Source for the rules: QEMU
 * hw/i386/tdvf.c; td-shim, td-shim-interface/src/metadata.rs; KVM_TDX_INIT_MEM_REGION in
 * arch/x86/kvm/vmx/tdx.c.
 */
import { pageBytes } from '../abi/tdx/mrtd.ts';
import { hex } from './hex.ts';
import { isAddedAtBuild, type RawSection, sectionKinds } from './sections.ts';
import type { TdvfSection, TdvfSectionType } from './types.ts';

/** Private memory ends where the shared bit of the widest guest address (GPAW 52) begins. */
const privateEnd = 1n << 51n;
/** An image that wants more than this is broken; adding it page by page would take minutes. */
const maxTotalBytes = 1n << 32n;

type SectionRule = (section: RawSection, fileSizeBytes: number) => string | undefined;

const dataInFile: SectionRule = (section, fileSizeBytes) =>
  isInFile(section, fileSizeBytes)
    ? undefined
    : `its data, ${hex(section.rawSizeBytes)} bytes at offset ${hex(section.dataOffset)}, lies outside the file of ${hex(fileSizeBytes)} bytes`;

/** The rules of a section that is memory of the TD. */
const memoryRules: readonly SectionRule[] = [
  ({ gpa }) =>
    isPageAligned(gpa) ? undefined : `its address ${hex(gpa)} is not a multiple of 4096`,

  ({ memorySizeBytes }) =>
    isPageAligned(memorySizeBytes)
      ? undefined
      : `its memory size ${hex(memorySizeBytes)} is not a multiple of 4096`,

  ({ memorySizeBytes }) => (memorySizeBytes === 0n ? 'its memory size is 0' : undefined),

  ({ gpa, memorySizeBytes }) =>
    gpa + memorySizeBytes > privateEnd
      ? `its memory, ${hex(memorySizeBytes)} bytes at ${hex(gpa)}, overflows private guest memory (which ends at ${hex(privateEnd)})`
      : undefined,

  ({ rawSizeBytes, memorySizeBytes }) =>
    BigInt(rawSizeBytes) > memorySizeBytes
      ? `its raw size ${hex(rawSizeBytes)} is above its memory size ${hex(memorySizeBytes)}`
      : undefined,

  dataInFile,

  ({ typeNumber, rawSizeBytes }) =>
    bytesOf(typeNumber) === 'in the image' && rawSizeBytes === 0
      ? 'it must have data in the image and has none'
      : undefined,

  ({ typeNumber, rawSizeBytes }) =>
    bytesOf(typeNumber) === 'zeros' && rawSizeBytes !== 0
      ? `it must have no data in the image and has ${hex(rawSizeBytes)} bytes`
      : undefined,

  ({ typeNumber, measured, rawSizeBytes }) =>
    measured && rawSizeBytes === 0 && bytesOf(typeNumber) === 'in the image or from the VMM'
      ? 'it is measured, and the VMM brings its content along: MRTD does not follow from the image'
      : undefined,

  // td-shim and Cloud Hypervisor pad with zeros, QEMU reads on into the file: no one MRTD is right.
  ({ typeNumber, measured, rawSizeBytes, memorySizeBytes }) =>
    measured &&
    BigInt(rawSizeBytes) < memorySizeBytes &&
    (rawSizeBytes !== 0 || bytesOf(typeNumber) !== 'in the image or from the VMM')
      ? `it is measured, and its memory size ${hex(memorySizeBytes)} is above its raw size ${hex(rawSizeBytes)}: VMMs differ in what they measure there`
      : undefined,

  (section) =>
    section.measured && !isAddedAtBuild(asTdvfSection(section))
      ? 'it is measured, and PAGE.AUG adds it when measuring has ended'
      : undefined,
];

/** The rules of a section that only names data of the image. */
const namedDataRules: readonly SectionRule[] = [
  ({ gpa, memorySizeBytes }) =>
    gpa === 0n && memorySizeBytes === 0n
      ? undefined
      : `it has memory, ${hex(memorySizeBytes)} bytes at ${hex(gpa)}, and must have none`,

  ({ rawSizeBytes }) =>
    rawSizeBytes === 0 ? 'it must have data in the image and has none' : undefined,

  dataInFile,

  ({ measured }) => (measured ? 'it is measured, and has no memory' : undefined),
];

/** Gives a clause for every rule that is broken. None means that the image has one MRTD. */
export function checkSections(sections: readonly RawSection[], fileSizeBytes: number): string[] {
  return [
    ...sections.flatMap((section) => checkSection(section, fileSizeBytes)),
    ...checkOverlaps(sections),
    ...checkCounts(sections),
    ...checkTotal(sections),
  ];
}

/** Gives a section its type. Call it with what {@link checkSections} has passed. */
export function asTdvfSection({ index: _, typeNumber, ...section }: RawSection): TdvfSection {
  return { type: sectionKinds[typeNumber]?.name as TdvfSectionType, ...section };
}

export function isInFile(section: RawSection, fileSizeBytes: number): boolean {
  return section.rawSizeBytes === 0 || section.dataOffset + section.rawSizeBytes <= fileSizeBytes;
}

function checkSection(section: RawSection, fileSizeBytes: number): string[] {
  const kind = sectionKinds[section.typeNumber];
  if (!kind) return [`section ${section.index} has the unknown type ${section.typeNumber}`];
  const rules = kind.bytes === 'no memory' ? namedDataRules : memoryRules;
  return rules
    .map((rule) => rule(section, fileSizeBytes))
    .filter((finding) => finding !== undefined)
    .map((finding) => `section ${section.index} (${kind.name}): ${finding}`);
}

function checkOverlaps(sections: readonly RawSection[]): string[] {
  const findings: string[] = [];
  let highest: RawSection | undefined;
  for (const section of sections.toSorted((a, b) => Number(a.gpa - b.gpa))) {
    if (highest && section.memorySizeBytes > 0n && section.gpa < endOf(highest)) {
      findings.push(
        `sections ${highest.index} and ${section.index} overlap in guest memory: ` +
          `${rangeOf(highest)} and ${rangeOf(section)}`,
      );
    }
    if (!highest || endOf(section) > endOf(highest)) highest = section;
  }
  return findings;
}

const atMostOnce: readonly TdvfSectionType[] = ['PAYLOAD', 'PAYLOAD_PARAM', 'TD_INFO', 'TD_PARAMS'];

function checkCounts(sections: readonly RawSection[]): string[] {
  const ofType = (name: TdvfSectionType) =>
    sections.filter(({ typeNumber }) => sectionKinds[typeNumber]?.name === name);
  const count = (name: TdvfSectionType) => ofType(name).length;
  const findings: string[] = [];
  if (count('BFV') === 0) findings.push('no section is a BFV, so there is no code to start');
  // A TD with PERM_MEM has all its memory there, and needs no list of it.
  if (count('TD_HOB') !== 1 && (count('TD_HOB') > 1 || count('PERM_MEM') === 0)) {
    findings.push(
      `${count('TD_HOB')} sections are of type TD_HOB; a TD needs one, to learn of its memory`,
    );
  }
  for (const name of atMostOnce) {
    if (count(name) > 1)
      findings.push(`${count(name)} sections are of type ${name}, of one at most`);
  }
  if (count('PAYLOAD_PARAM') > 0 && count('PAYLOAD') === 0) {
    findings.push('a section is of type PAYLOAD_PARAM, and none of type PAYLOAD');
  }
  for (const named of [...ofType('TD_INFO'), ...ofType('TD_PARAMS')]) {
    if (ofType('BFV').some((code) => hasDataOf(code, named))) continue;
    findings.push(`section ${named.index} (${typeName(named)}): its data does not lie in a BFV`);
  }
  return findings;
}

function hasDataOf(code: RawSection, named: RawSection): boolean {
  const end = named.dataOffset + named.rawSizeBytes;
  return named.dataOffset >= code.dataOffset && end <= code.dataOffset + code.rawSizeBytes;
}

function typeName({ typeNumber }: RawSection): string | undefined {
  return sectionKinds[typeNumber]?.name;
}

function bytesOf(typeNumber: number) {
  return sectionKinds[typeNumber]?.bytes;
}

function checkTotal(sections: readonly RawSection[]): string[] {
  const total = sections
    .filter((section) => isAddedAtBuild(asTdvfSection(section)))
    .reduce((sum, section) => sum + section.memorySizeBytes, 0n);
  if (total <= maxTotalBytes) return [];
  return [`the sections take ${hex(total)} bytes of memory together, more than 4 GiB`];
}

function isPageAligned(value: bigint): boolean {
  return value % BigInt(pageBytes) === 0n;
}

function endOf({ gpa, memorySizeBytes }: RawSection): bigint {
  return gpa + memorySizeBytes;
}

function rangeOf(section: RawSection): string {
  return `${hex(section.gpa)}-${hex(endOf(section) - 1n)}`;
}
