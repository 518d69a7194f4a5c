/**
 * Gives the 16 bytes of a GUID as EFI stores them: the first three groups are little-endian, the
 * last two as written.
 */
export function guidBytes(text: string): Buffer {
  const groups = text.split('-').map((group) => Buffer.from(group, 'hex'));
  return Buffer.concat(groups.map((group, index) => (index < 3 ? group.reverse() : group)));
}
