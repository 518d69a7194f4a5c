/**
 * The PAMT: what the TDX module keeps of each page of the host's memory, at three sizes. Statically all of
 * it is set apart when TDX is enabled. Dynamic PAMT keeps a bit of each 4 KiB page in place of the entries
 * for 4 KiB, and takes those of 2 MiB of memory as a pair of pages when the first page there is used.
 * Sources: Intel TDX module, PAMT_4K, 2M and 1G_ENTRY_SIZE and PAMT_PAGE_BITMAP_ENTRY_BITS; the series
 * "Dynamic PAMT", v6, 25 May 2026, for what Linux adds to it.
 */
import { tdxFeatures0 } from './module-releases.ts';

const pageBytes = 4096n;
const mib2 = 1n << 21n;
const gib = 1n << 30n;
/** Of every release that was read. */
const entryBytes = 16n;
/** The kernel counts the users of each 2 MiB of addresses: atomic_t. */
const counterBytes = 4n;

/** A pair of pages covers as much memory. */
export const pamtRegionBytes = Number(mib2);
export const pamtPairPages = 2;
export const pamtPairBytes = BigInt(pamtPairPages) * pageBytes;

/** The tree of the module reaches so far: with more address bits Linux leaves PAMT static. */
const mostAddressBits = 48;

/** @param addressBits of host physical addresses, without those that are key IDs. */
export function canHaveDynamicPamt(features0: bigint, addressBits: number): boolean {
  return (features0 & tdxFeatures0.DYNAMIC_PAMT) !== 0n && addressBits <= mostAddressBits;
}

export interface PamtCost {
  /** What static PAMT takes, and keeps. */
  readonly staticBytes: bigint;
  /** What dynamic PAMT takes at once: the bits, the entries for 2 MiB and 1 GiB. */
  readonly fixedBytes: bigint;
  /** The kernel's counters beside it, where memory has no gaps. */
  readonly counterBytes: bigint;
}

/** Of a host with so much memory in one piece: each array is rounded up to a page once. */
export function pamtCost(memoryBytes: bigint): PamtCost {
  const entries = (covered: bigint) => wholePages(divideUp(memoryBytes, covered) * entryBytes);
  const large = entries(mib2) + entries(gib);
  const bits = divideUp(memoryBytes, pageBytes);
  return {
    staticBytes: entries(pageBytes) + large,
    fixedBytes: wholePages(divideUp(bits, 8n)) + large,
    counterBytes: wholePages(divideUp(memoryBytes, mib2) * counterBytes),
  };
}

/** The pairs for memory of TDs that fills its regions, as the memory of large pages does. */
export function pamtPairsBytes(usedBytes: bigint): bigint {
  return divideUp(usedBytes, mib2) * pamtPairBytes;
}

function wholePages(bytes: bigint): bigint {
  return divideUp(bytes, pageBytes) * pageBytes;
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}
