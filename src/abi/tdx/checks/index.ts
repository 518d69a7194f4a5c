/** The book of the module, whole: the rows of every leaf, in the leaf's order. */
import type { SeamcallName } from '../seamcalls.ts';
import {
  mngAddcxChecks,
  mngCreateChecks,
  mngInitChecks,
  mngKeyConfigChecks,
  mngRdChecks,
} from './build.ts';
import type { LeafChecks } from './check.ts';
import {
  memPageAddChecks,
  memPageAugChecks,
  memPageRemoveChecks,
  memRangeBlockChecks,
  memSeptAddChecks,
  memTrackChecks,
  mrExtendChecks,
  mrFinalizeChecks,
} from './memory.ts';
import { phymemPamtAddChecks, phymemPamtRemoveChecks } from './pamt.ts';
import {
  mngKeyFreeidChecks,
  mngVpflushdoneChecks,
  phymemCacheWbChecks,
  phymemPageReclaimChecks,
  phymemPageWbinvdChecks,
} from './teardown.ts';
import {
  vpAddcxChecks,
  vpCreateChecks,
  vpEnterChecks,
  vpFlushChecks,
  vpInitChecks,
  vpWrChecks,
} from './vcpu.ts';

export type { LeafCheck } from './check.ts';

export const leafChecks = {
  'TDH.MNG.CREATE': mngCreateChecks,
  'TDH.MNG.KEY.CONFIG': mngKeyConfigChecks,
  'TDH.MNG.ADDCX': mngAddcxChecks,
  'TDH.MNG.INIT': mngInitChecks,
  'TDH.MNG.RD': mngRdChecks,
  'TDH.VP.CREATE': vpCreateChecks,
  'TDH.VP.ADDCX': vpAddcxChecks,
  'TDH.VP.INIT': vpInitChecks,
  'TDH.VP.ENTER': vpEnterChecks,
  'TDH.VP.FLUSH': vpFlushChecks,
  'TDH.VP.WR': vpWrChecks,
  'TDH.MEM.SEPT.ADD': memSeptAddChecks,
  'TDH.MEM.PAGE.ADD': memPageAddChecks,
  'TDH.MEM.PAGE.AUG': memPageAugChecks,
  'TDH.MEM.RANGE.BLOCK': memRangeBlockChecks,
  'TDH.MEM.TRACK': memTrackChecks,
  'TDH.MEM.PAGE.REMOVE': memPageRemoveChecks,
  'TDH.MR.EXTEND': mrExtendChecks,
  'TDH.MR.FINALIZE': mrFinalizeChecks,
  'TDH.MNG.VPFLUSHDONE': mngVpflushdoneChecks,
  'TDH.PHYMEM.CACHE.WB': phymemCacheWbChecks,
  'TDH.MNG.KEY.FREEID': mngKeyFreeidChecks,
  // Does nothing and always succeeds: kept for hosts that still call it.
  'TDH.MNG.KEY.RECLAIMID': {},
  'TDH.PHYMEM.PAGE.RECLAIM': phymemPageReclaimChecks,
  'TDH.PHYMEM.PAGE.WBINVD': phymemPageWbinvdChecks,
  'TDH.PHYMEM.PAMT.ADD': phymemPamtAddChecks,
  'TDH.PHYMEM.PAMT.REMOVE': phymemPamtRemoveChecks,
} as const satisfies Readonly<Record<SeamcallName, LeafChecks>>;

/** The names of the checks of one leaf. */
export type LeafCheckName<Leaf extends SeamcallName> = keyof (typeof leafChecks)[Leaf] & string;

export type ModuleCheckName = { [Leaf in SeamcallName]: LeafCheckName<Leaf> }[SeamcallName];
