import { roundedBytes } from '../../documents/quantity.ts';
import type { FirmwareImage, MrtdPrediction, TdvfSection } from '../../firmware/index.ts';
import { hex, isAddedAtBuild, isLaunchedByQemu } from '../../firmware/index.ts';
import { paint } from './paint.ts';
import { sanitize } from './sanitize.ts';
import { columns } from './table.ts';

export interface Measurement {
  readonly image: FirmwareImage;
  readonly prediction: MrtdPrediction;
}

/** This is the contract of `--output json` and `yaml`; BigInts are printed as hexadecimal strings. */
export function measurementData({ image, prediction }: Measurement) {
  const { path, varsPath, sizeBytes, sha256, loadAddress, sections } = image;
  const { order, mrtd, addedPages, measuredPages, hashedBytes } = prediction;
  return {
    firmware: {
      path,
      ...(varsPath === undefined ? {} : { varsPath }),
      sizeBytes,
      sha256,
      loadAddress,
    },
    sections: sections.map((section) => ({
      type: section.type,
      gpa: section.gpa,
      memorySizeBytes: section.memorySizeBytes,
      dataOffset: section.dataOffset,
      rawSizeBytes: section.rawSizeBytes,
      measured: section.measured,
      pageAug: section.pageAug,
      addedAtBuild: isAddedAtBuild(section),
    })),
    launchedByQemu: sections.every(isLaunchedByQemu),
    order,
    addedPages,
    measuredPages,
    hashedBytes,
    mrtd,
  };
}

export function measurementText({ image, prediction }: Measurement, colors: boolean): string {
  const { bold, dim } = paint(colors);
  const { order, mrtd, addedPages, measuredPages, hashedBytes } = prediction;
  const [head, ...rows] = sectionTable(image.sections);
  return [
    `${dim('firmware')}   ${sanitize(image.path)}`,
    ...(image.varsPath === undefined ? [] : [`${dim('variables')}  ${sanitize(image.varsPath)}`]),
    `${dim('image')}      ${roundedBytes(image.sizeBytes)}, from ${hex(image.loadAddress)} to 4 GiB`,
    `${dim('sha256')}     ${image.sha256}`,
    '',
    dim(head ?? ''),
    ...rows,
    '',
    `${addedPages} pages added, ${measuredPages} of them with their content; ` +
      `${hashedBytes} bytes hashed in ${order} order`,
    `${dim('mrtd')}       ${bold(mrtd)}`,
    ...othersOnly(image.sections),
    ...toPin(prediction, dim),
    '',
  ].join('\n');
}

function sectionTable(sections: readonly TdvfSection[]): string[] {
  const rows = sections.map((section) => [
    section.type,
    hex(section.gpa),
    `${section.memorySizeBytes / 1024n} KiB`,
    placeInImage(section),
    inMrtd(section),
  ]);
  const text = columns([['section', 'address', 'memory', 'in image', 'in MRTD'], ...rows], '');
  return text.trimEnd().split('\n');
}

function inMrtd(section: TdvfSection): string {
  if (section.memorySizeBytes === 0n) return '-';
  if (!isAddedAtBuild(section)) return '- (PAGE.AUG)';
  return section.measured ? 'addresses, content' : 'addresses';
}

function othersOnly(sections: readonly TdvfSection[]): string[] {
  const types = sections.filter((section) => !isLaunchedByQemu(section)).map(({ type }) => type);
  if (types.length === 0) return [];
  return ['', `QEMU and tdctl do not launch this image: it has ${[...new Set(types)].join(', ')}`];
}

/** What a TrustDomain file says so that no other image starts the TD; shown as it is typed. */
function toPin({ order, mrtd }: MrtdPrediction, dim: (text: string) => string): string[] {
  return [
    '',
    dim('to hold a TD to it, in its TrustDomain file:'),
    'spec:',
    '  measurement:',
    `    order: ${order}`,
    `    expect: "${mrtd}"`,
  ];
}

function placeInImage({ dataOffset, rawSizeBytes, memorySizeBytes }: TdvfSection): string {
  if (rawSizeBytes === 0) return '-';
  const isPart = BigInt(rawSizeBytes) < memorySizeBytes;
  return `at ${hex(dataOffset)}${isPart ? `, first ${rawSizeBytes} bytes` : ''}`;
}
