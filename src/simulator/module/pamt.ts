/** Dynamic PAMT: the host gives a pair of pages for the metadata of 2 MiB of memory, and gets it back. */
import { pamtRegionBytes } from '../../abi/tdx/pamt.ts';
import type { Hpa } from './addresses.ts';
import { checksOf, firstRefusal, type LeafAnswer } from './checks.ts';
import { splitGpa } from './common-steps.ts';
import type { ModuleState, PamtPair } from './module-state.ts';

const level2m = 1;

interface RegionCall {
  readonly module: ModuleState;
  /** Address of the region, with its level in the lowest bits. */
  readonly region: number;
}

function isNoRegion({ module, region }: RegionCall): boolean {
  const { gpa: hpa, level } = splitGpa(region);
  const isInMemory = hpa < module.limits.memoryBytes;
  return level !== level2m || hpa % pamtRegionBytes !== 0 || !isInMemory;
}

const isOff = ({ module }: RegionCall) => module.pamtPairs === undefined;

const addChecks = checksOf<'TDH.PHYMEM.PAMT.ADD', RegionCall & { readonly pair: PamtPair }>(
  'TDH.PHYMEM.PAMT.ADD',
  {
    'phymem-pamt-add.not-enabled': isOff,
    'phymem-pamt-add.no-region': isNoRegion,
    'phymem-pamt-add.region-taken': ({ module, region }) =>
      module.pamtPairs?.has(regionOf(region)) === true,
    'phymem-pamt-add.page-taken': ({ module, pair }) => pair.some((page) => module.pamt.has(page)),
  },
);

export function phymemPamtAdd(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): LeafAnswer {
  const pair: PamtPair = [rdx, r8];
  const refused = firstRefusal(addChecks, { module, region: rcx, pair });
  if (refused === undefined) module.pamtPairs?.set(regionOf(rcx), pair);
  return refused;
}

const removeChecks = checksOf<'TDH.PHYMEM.PAMT.REMOVE', RegionCall>('TDH.PHYMEM.PAMT.REMOVE', {
  'phymem-pamt-remove.not-enabled': isOff,
  'phymem-pamt-remove.no-region': isNoRegion,
});

/** Leaves the pages in RDX and R8. */
export function phymemPamtRemove(module: ModuleState, { rcx }: { rcx: number }): LeafAnswer {
  const refused = firstRefusal(removeChecks, { module, region: rcx });
  if (refused !== undefined) return refused;
  const region = regionOf(rcx);
  const pair = module.pamtPairs?.get(region);
  if (pair === undefined || isUsed(module, region)) {
    throw new Error('the host takes away metadata that is not there, or in use');
  }
  module.pamtPairs?.delete(region);
  module.out.rdx = BigInt(pair[0]);
  module.out.r8 = BigInt(pair[1]);
  return undefined;
}

function isUsed({ pamt }: ModuleState, region: number): boolean {
  const start = region * pamtRegionBytes;
  for (let page = start; page < start + pamtRegionBytes; page += 4096)
    if (pamt.has(page)) return true;
  return false;
}

export function regionOf(hpa: Hpa): number {
  return Math.floor(hpa / pamtRegionBytes);
}
