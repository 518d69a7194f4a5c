/** These leaves take a TD down: VPFLUSHDONE, CACHE.WB, KEY.FREEID, PAGE.RECLAIM, PAGE.WBINVD. */

import type { Hpa } from './addresses.ts';
import { checksOf, firstRefusal, type LeafAnswer } from './checks.ts';
import { type PageCall, pageSteps, type TdCall, tdCall, tdOf, tdrSteps } from './common-steps.ts';
import { type ModuleState, packageOf } from './module-state.ts';

const vpflushdoneChecks = checksOf<'TDH.MNG.VPFLUSHDONE', TdCall>('TDH.MNG.VPFLUSHDONE', {
  ...tdrSteps,
  'mng-vpflushdone.done-already': (call) =>
    !['HKID_ASSIGNED', 'KEYS_CONFIGURED'].includes(tdOf(call).lifecycle),
  'mng-vpflushdone.vcpus-associated': (call) => (tdOf(call).initialized?.associatedVcpus ?? 0) > 0,
});

/** Blocks the TD. */
export function mngVpflushdone(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal(vpflushdoneChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  td.lifecycle = 'BLOCKED';
  module.keys.flush(module.keys.of(td.hkid), module.limits.packages);
  return undefined;
}

interface CacheWbCall {
  readonly module: ModuleState;
  readonly resumes: number;
  /** Bit of the package among those that a key ID waits for. */
  readonly bit: number;
}

const cacheWbChecks = checksOf<'TDH.PHYMEM.CACHE.WB', CacheWbCall>('TDH.PHYMEM.CACHE.WB', {
  'phymem-cache-wb.operand': ({ resumes }) => resumes > 1,
  // Only an injected status interrupts the model, and what is pending then can be resumed.
  'phymem-cache-wb.nothing-to-resume': ({ module, resumes, bit }) =>
    resumes === 1 && ![...module.keys.flushed].some((key) => (key.pendingPackages & bit) !== 0),
  'phymem-cache-wb.nothing-flushed': ({ module }) => module.keys.flushed.size === 0,
});

/** Writes back this package's caches for every key ID that is flushed. RCX is 1 to resume. */
export function phymemCacheWb(
  module: ModuleState,
  { rcx }: { rcx: number },
  logicalCpu: number,
): LeafAnswer {
  const call = { module, resumes: rcx, bit: 1 << packageOf(module.limits, logicalCpu) };
  const refused = firstRefusal(cacheWbChecks, call);
  if (refused !== undefined) return refused;

  for (const key of module.keys.flushed) key.pendingPackages &= ~call.bit;
  return undefined;
}

const freeidChecks = checksOf<'TDH.MNG.KEY.FREEID', TdCall>('TDH.MNG.KEY.FREEID', {
  ...tdrSteps,
  'mng-key-freeid.not-flushed': (call) => tdOf(call).lifecycle !== 'BLOCKED',
  'mng-key-freeid.not-written-back': (call) =>
    call.module.keys.of(tdOf(call).hkid).pendingPackages !== 0,
});

export function mngKeyFreeid(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal(freeidChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  module.keys.free(module.keys.of(td.hkid));
  td.lifecycle = 'TEARDOWN';
  return undefined;
}

const reclaimChecks = checksOf<'TDH.PHYMEM.PAGE.RECLAIM', PageCall>('TDH.PHYMEM.PAGE.RECLAIM', {
  'page.unaligned': pageSteps['page.unaligned'],
  'phymem-page-reclaim.no-page-of-a-td': ({ module, page }) => !module.pamt.has(page),
  'phymem-page-reclaim.td-not-in-teardown': ({ module, page }) =>
    module.pamt.get(page)?.owner.lifecycle !== 'TEARDOWN',
  'phymem-page-reclaim.td-has-pages': ({ module, page }) => {
    const metadata = module.pamt.get(page);
    return metadata?.type === 'TDR' && metadata.owner.childPages > 0;
  },
});

/** Gives a page back to the host. The TDR comes last, when nothing else of its TD is left. */
export function phymemPageReclaim(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = { module, page: rcx };
  const refused = firstRefusal(reclaimChecks, call);
  if (refused !== undefined) return refused;

  const metadata = module.pamt.get(rcx);
  if (metadata !== undefined && metadata.type !== 'TDR') metadata.owner.childPages--;
  module.pamt.delete(rcx);
  return undefined;
}

/** The leaf does nothing and always succeeds. It is kept for hosts that still call it. */
export function mngKeyReclaimid(_module: ModuleState, _operands: { rcx: Hpa }): LeafAnswer {
  return undefined;
}

const wbinvdChecks = checksOf<'TDH.PHYMEM.PAGE.WBINVD', PageCall>(
  'TDH.PHYMEM.PAGE.WBINVD',
  pageSteps,
);

/** Flushes a page that the host has got back, before it is used again. */
export function phymemPageWbinvd(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  return firstRefusal(wbinvdChecks, { module, page: rcx });
}
