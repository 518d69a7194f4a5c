/** Leaves that take a TD down: VPFLUSHDONE, CACHE.WB, KEY.FREEID, PAGE.RECLAIM, PAGE.WBINVD. */

import { statusCodes, statusWord } from '../../abi/tdx/status.ts';
import { type Hpa, pageSize } from './addresses.ts';
import { checkPage, pageMetadata } from './checks.ts';
import { type ModuleState, packageOf } from './module-state.ts';

const success = statusCodes.TDX_SUCCESS;

/** Blocks the TD. Does not look at FATAL: a fatal TD can be torn down. */
export function mngVpflushdone(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  const page = checkPage(module, rcx, 'TDR', 'RCX');
  if (page !== success) return page;
  const td = pageMetadata(module, rcx).owner;
  if (td.lifecycle !== 'HKID_ASSIGNED' && td.lifecycle !== 'KEYS_CONFIGURED') {
    return statusCodes.TDX_LIFECYCLE_STATE_INCORRECT;
  }
  if ((td.initialized?.associatedVcpus ?? 0) > 0) return statusCodes.TDX_FLUSHVP_NOT_DONE;

  td.lifecycle = 'BLOCKED';
  const key = module.keys.entry(td.hkid);
  if (key === undefined) throw new Error('a TD without an entry in the key ownership table');
  module.keys.flush(key, module.limits.packages);
  return success;
}

/** Writes back this package's caches for every key ID that is flushed. RCX 1 resumes. */
export function phymemCacheWb(
  module: ModuleState,
  { rcx }: { rcx: number },
  logicalCpu: number,
): bigint {
  if (rcx > 1) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  const bit = 1 << packageOf(module.limits, logicalCpu);
  let ready = false;
  let pending = false;
  for (const key of module.keys.flushed) {
    ready = true;
    pending ||= (key.pendingPackages & bit) !== 0;
    key.pendingPackages &= ~bit;
  }
  // The model is interrupted only by an injected status; what is pending then can be resumed.
  if (rcx === 1 && !pending) return statusCodes.TDX_WBCACHE_RESUME_ERROR;
  return ready ? success : statusCodes.TDX_NO_HKID_READY_TO_WBCACHE;
}

export function mngKeyFreeid(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  const page = checkPage(module, rcx, 'TDR', 'RCX');
  if (page !== success) return page;
  const td = pageMetadata(module, rcx).owner;
  if (td.lifecycle !== 'BLOCKED') return statusCodes.TDX_LIFECYCLE_STATE_INCORRECT;
  const key = module.keys.entry(td.hkid);
  if (key === undefined) throw new Error('a TD without an entry in the key ownership table');
  if (key.pendingPackages !== 0) return statusCodes.TDX_WBCACHE_NOT_COMPLETE;

  module.keys.free(key);
  td.lifecycle = 'TEARDOWN';
  return success;
}

/** Gives a page back to the host. The TDR comes last, when nothing else of its TD is left. */
export function phymemPageReclaim(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  if (rcx % pageSize !== 0 || rcx < 0) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  const page = module.pamt.get(rcx);
  if (page === undefined) return statusWord('TDX_PAGE_METADATA_INCORRECT', 'RCX');
  const td = page.owner;
  if (td.lifecycle !== 'TEARDOWN') return statusCodes.TDX_LIFECYCLE_STATE_INCORRECT;
  if (page.type === 'TDR') {
    if (td.childPages > 0) return statusCodes.TDX_TD_ASSOCIATED_PAGES_EXIST;
  } else {
    td.childPages--;
  }
  module.pamt.delete(rcx);
  return success;
}

/** Does nothing and always succeeds: kept for hosts that still call it. */
export function mngKeyReclaimid(_module: ModuleState, _operands: { rcx: Hpa }): bigint {
  return success;
}

/** Flushes a page that the host has got back, before it is used again. */
export function phymemPageWbinvd(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  return checkPage(module, rcx, 'NDA', 'RCX');
}
