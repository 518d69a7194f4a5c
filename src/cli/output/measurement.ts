import pc from 'picocolors';
import { hex } from '../../firmware/hex.ts';
import type { FirmwareImage, MrtdPrediction, TdvfSection } from '../../firmware/index.ts';
import { sanitize } from './sanitize.ts';

export interface Measurement {
  readonly image: FirmwareImage;
  readonly prediction: MrtdPrediction;
}

export type MeasurementFormat = 'text' | 'json' | 'yaml';

export async function formatMeasurement(
  measurement: Measurement,
  { format, colors }: { readonly format: MeasurementFormat; readonly colors: boolean },
): Promise<string> {
  if (format === 'json') return `${JSON.stringify(asData(measurement), null, 2)}\n`;
  if (format === 'yaml') {
    const { stringify } = await import('yaml');
    return stringify(asData(measurement));
  }
  return asText(measurement, pc.createColors(colors));
}

/** The contract of `--output json` and `yaml`: 64-bit values are hex strings, the rest numbers. */
function asData({ image, prediction }: Measurement) {
  const { path, varsPath, sizeBytes, sha256, loadAddress, sections } = image;
  const { order, mrtd, addedPages, measuredPages, hashedBytes } = prediction;
  return {
    firmware: {
      path,
      ...(varsPath === undefined ? {} : { varsPath }),
      sizeBytes,
      sha256,
      loadAddress: hex(loadAddress),
    },
    sections: sections.map((section) => ({
      type: section.type,
      gpa: hex(section.gpa),
      memorySizeBytes: hex(section.memorySizeBytes),
      dataOffset: section.dataOffset,
      rawSizeBytes: section.rawSizeBytes,
      measured: section.measured,
      pageAug: section.pageAug,
    })),
    order,
    addedPages,
    measuredPages,
    hashedBytes,
    mrtd,
  };
}

type Colors = ReturnType<typeof pc.createColors>;

function asText({ image, prediction }: Measurement, { bold, dim }: Colors): string {
  const { order, mrtd, addedPages, measuredPages, hashedBytes } = prediction;
  const [head = '', ...rows] = table([
    ['Section', 'Address', 'Memory', 'In the image', 'In MRTD'],
    ...image.sections.map(sectionRow),
  ]);
  return [
    `${dim('Firmware')}   ${sanitize(image.path)}`,
    ...(image.varsPath === undefined ? [] : [`${dim('Variables')}  ${sanitize(image.varsPath)}`]),
    `${dim('Image')}      ${size(image.sizeBytes)}, ends at 4 GiB, begins at ${hex(image.loadAddress)}`,
    `${dim('SHA-256')}    ${image.sha256}`,
    '',
    dim(head),
    ...rows,
    '',
    `${addedPages} pages added, ${measuredPages} of them with content: ` +
      `${hashedBytes} bytes hashed, in ${order} order`,
    `${dim('MRTD')}       ${bold(mrtd)}`,
    '',
  ].join('\n');
}

function sectionRow(section: TdvfSection): string[] {
  const { dataOffset, rawSizeBytes } = section;
  return [
    section.type,
    hex(section.gpa),
    size(section.memorySizeBytes),
    rawSizeBytes === 0 ? '-' : `${size(rawSizeBytes)} at ${hex(dataOffset)}`,
    section.measured ? 'addresses, content' : 'addresses',
  ];
}

/** Rows as lines, each column as wide as its widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

const units = [
  { name: 'GiB', bytes: 1n << 30n },
  { name: 'MiB', bytes: 1n << 20n },
  { name: 'KiB', bytes: 1n << 10n },
] as const;

/** Exact: the largest unit that divides it. */
function size(bytes: number | bigint): string {
  const exact = BigInt(bytes);
  const unit = units.find((candidate) => exact % candidate.bytes === 0n);
  return unit ? `${exact / unit.bytes} ${unit.name}` : `${exact} bytes`;
}
