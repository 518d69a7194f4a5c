/**
 * Distributions ship OVMF in two files, code and variable store (VARS). The metadata is in the code
 * file and counts offsets from the beginning of VARS, so the code file alone looks valid and
 * is not. VARS in front of it gives the image.
 */

import { isInFile } from './check-sections.ts';
import { firmwareInvalid } from './firmware-error.ts';
import { hex } from './hex.ts';
import { fourGiB } from './load-address.ts';
import { type RawSection, sectionKinds } from './sections.ts';

/** Throws TDCTL_E_FIRMWARE_INVALID when VARS is missing, superfluous, or of another build's size. */
export function checkVariableStore(options: {
  readonly sections: readonly RawSection[];
  /** The size of what was read, VARS included where there is one. */
  readonly sizeBytes: number;
  readonly varsSizeBytes: number | undefined;
  readonly place: string | undefined;
}): void {
  const { sections, sizeBytes, varsSizeBytes, place } = options;
  const wholeBytes = wholeImageBytes(sections);
  if (wholeBytes === undefined) return;

  if (varsSizeBytes === undefined) {
    const missing = wholeBytes - sizeBytes;
    if (sections.every((section) => isInFile(section, sizeBytes))) return;
    if (!sections.some((section) => isStoreOfSize(section, missing))) return;
    throw firmwareInvalid({
      place,
      message:
        'this is firmware code without its variable store: the metadata describes an image of ' +
        `${hex(wholeBytes)} bytes whose first ${hex(missing)} bytes are the variables, and the ` +
        `file has ${hex(sizeBytes)} bytes`,
      hint:
        `give the variable store of the same build, ${missing} bytes, too: \`tdctl measure\` takes it ` +
        'with --vars FILE, a TrustDomain file as `firmware: {path: CODE, vars: VARS}`',
    });
  }

  const neededBytes = wholeBytes - (sizeBytes - varsSizeBytes);
  if (neededBytes === varsSizeBytes) return;
  if (neededBytes <= 0) {
    throw firmwareInvalid({
      place,
      message: 'a variable store was given, and the image is whole without one',
      hint: 'leave out --vars',
    });
  }
  throw firmwareInvalid({
    place,
    message:
      `the variable store has ${varsSizeBytes} bytes, and this firmware code needs one of ` +
      `${neededBytes} bytes in front of it`,
    hint: 'give the variable store that was built together with this firmware code',
  });
}

/**
 * The size of the whole image, from where its code and variables are mapped: the image ends at 4 GiB,
 * so a section at offset 0 lies at 4 GiB - size. Undefined when they do not agree on it.
 */
function wholeImageBytes(sections: readonly RawSection[]): number | undefined {
  const sizes = new Set(
    sections
      .filter(({ typeNumber }) => sectionKinds[typeNumber]?.bytes === 'in the image')
      .filter(({ rawSizeBytes }) => rawSizeBytes > 0)
      .map(({ gpa, dataOffset }) => fourGiB - gpa + BigInt(dataOffset)),
  );
  const [size] = sizes;
  return sizes.size === 1 && size !== undefined && size > 0n ? Number(size) : undefined;
}

function isStoreOfSize(section: RawSection, sizeBytes: number): boolean {
  return (
    sectionKinds[section.typeNumber]?.name === 'CFV' &&
    section.dataOffset === 0 &&
    section.rawSizeBytes === sizeBytes
  );
}
