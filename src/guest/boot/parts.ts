/** The parts of a start that are the same in both protocols: the command line and the initrd. */
import { formatBytes } from '../../documents/quantity.ts';
import { bootInvalid } from './boot-error.ts';
import { endOf } from './memory-map.ts';
import { places } from './places.ts';
import type { BootRequest, GuestRange, GuestWrite } from './types.ts';

/** @param most how many bytes the kernel takes, without the NUL after them. */
export function placeCommandLine(
  { value, place }: BootRequest['cmdline'],
  most: number,
): GuestWrite {
  const bytes = new TextEncoder().encode(`${value}\0`);
  const length = bytes.length - 1;
  if (bytes.subarray(0, length).includes(0)) {
    throw bootInvalid({
      place,
      message: 'the command line has a NUL character, where the kernel would end it',
      hint: 'leave it out',
    });
  }
  if (length > most) {
    throw bootInvalid({
      place,
      message: `the command line has ${length} bytes, and this kernel takes ${most}`,
      hint: 'leave out what is not needed, or give it by the initrd',
    });
  }
  return { gpa: places.commandLine, bytes };
}

const pageBytes = 4096n;
const pageDown = (address: bigint) => address - (address % pageBytes);
const pageUp = (address: bigint) => pageDown(address + pageBytes - 1n);

export interface RoomForInitrd {
  readonly ram: GuestRange;
  readonly kernelEnd: bigint;
  /** The highest address that it may have, where the kernel says one. */
  readonly lastAddress?: bigint;
}

/** Puts the initrd as high as may be, as boot loaders do: the kernel moves and grows below it. */
export function placeInitrd(
  { value: bytes, place }: NonNullable<BootRequest['initrd']>,
  { ram, kernelEnd, lastAddress }: RoomForInitrd,
): GuestWrite {
  const size = BigInt(bytes.length);
  if (size === 0n) {
    throw bootInvalid({
      place,
      message: 'the initrd is empty',
      hint: 'make it again, or leave `initrd` out',
    });
  }
  const limit = lastAddress === undefined ? endOf(ram) : smaller(endOf(ram), lastAddress + 1n);
  const gpa = limit < size ? -1n : pageDown(limit - size);
  if (gpa >= kernelEnd) return { gpa, bytes };
  const room = limit > kernelEnd ? limit - kernelEnd : 0n;
  const isOfKernel = limit < endOf(ram);
  throw bootInvalid({
    place,
    message: `the initrd has ${formatBytes(size)}, and above the kernel there is room for ${formatBytes(room)}${
      isOfKernel ? ', because the kernel takes none beyond' : ''
    }`,
    hint: isOfKernel
      ? 'make a smaller initrd'
      : `give the TD at least ${upToMib(pageUp(kernelEnd) + pageUp(size))} of memory (below 2GiB), or make a smaller initrd`,
  });
}

const smaller = (one: bigint, other: bigint) => (one < other ? one : other);

/** An address as the memory that reaches there. */
export function upToMib(address: bigint): string {
  const mib = 1n << 20n;
  return `${(address + mib - 1n) / mib}MiB`;
}
