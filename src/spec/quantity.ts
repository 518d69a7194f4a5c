/** Reads the sizes and frequencies of a TD, which have to be in bounds, and exact. */

import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { formatBytes, formatKhz, parseBytes, parseKhz } from '../documents/quantity.ts';

const pageBytes = 4096n;
/** The TD HOB and TEMP_MEM of a TDVF image, which lie above 8 MiB, need this much. */
export const minMemoryBytes = 16n << 20n;
/** Private memory ends at bit 51, the shared bit of a 52-bit guest physical address. */
const maxMemoryBytes = 1n << 51n;

/** Gives the bytes of a guest's memory. Numbers and digits alone are bytes. */
export function parseMemory(value: unknown): Parsed<bigint> {
  const amount = parseBytes(value);
  return 'problems' in amount ? amount : checkMemory(amount.value);
}

function checkMemory(bytes: bigint): Parsed<bigint> {
  if (bytes < minMemoryBytes) {
    return refused(
      `must be at least ${formatBytes(minMemoryBytes)}; this is ${formatBytes(bytes)}`,
    );
  }
  if (bytes > maxMemoryBytes) {
    return refused(`must be at most ${formatBytes(maxMemoryBytes)}; this is ${formatBytes(bytes)}`);
  }
  if (bytes % pageBytes !== 0n) {
    const down = bytes - (bytes % pageBytes);
    return refused(
      `must be a multiple of 4KiB; the nearest are ${down} and ${down + pageBytes} bytes`,
    );
  }
  return parsed(bytes);
}

const minTscKhz = 100_000n;
const maxTscKhz = 10_000_000n;
/** TD_PARAMS.TSC_FREQUENCY counts in 25 MHz, and KVM would cut the rest off without a word. */
const tscStepKhz = 25_000n;

/** Gives the kHz of a guest's TSC. */
export function parseFrequency(value: unknown): Parsed<number> {
  const frequency = parseKhz(value);
  return 'problems' in frequency ? frequency : checkFrequency(frequency.value);
}

function checkFrequency(kilohertz: bigint): Parsed<number> {
  if (kilohertz < minTscKhz || kilohertz > maxTscKhz) {
    return refused(`must be 100MHz to 10GHz; this is ${formatKhz(kilohertz)}`);
  }
  if (kilohertz % tscStepKhz !== 0n) {
    const down = kilohertz - (kilohertz % tscStepKhz);
    return refused(
      `must be a multiple of 25MHz; the nearest are ${formatKhz(down)} and ${formatKhz(down + tscStepKhz)}`,
    );
  }
  return parsed(Number(kilohertz));
}
