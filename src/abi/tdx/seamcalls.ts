/**
 * Host-side leaf functions of the TDX module (RAX bits 15:0 of SEAMCALL).
 * Source: Intel TDX module, include/tdx_vmm_api_handlers.h; the same numbers since 1.0.
 */
export const seamcalls = {
  'TDH.VP.ENTER': 0,
  'TDH.MNG.ADDCX': 1,
  'TDH.MEM.PAGE.ADD': 2,
  'TDH.MEM.SEPT.ADD': 3,
  'TDH.VP.ADDCX': 4,
  'TDH.MEM.PAGE.AUG': 6,
  'TDH.MEM.RANGE.BLOCK': 7,
  'TDH.MNG.KEY.CONFIG': 8,
  'TDH.MNG.CREATE': 9,
  'TDH.VP.CREATE': 10,
  'TDH.MNG.RD': 11,
  'TDH.MR.EXTEND': 16,
  'TDH.MR.FINALIZE': 17,
  'TDH.VP.FLUSH': 18,
  'TDH.MNG.VPFLUSHDONE': 19,
  'TDH.MNG.KEY.FREEID': 20,
  'TDH.MNG.INIT': 21,
  'TDH.VP.INIT': 22,
  'TDH.MNG.KEY.RECLAIMID': 27,
  'TDH.PHYMEM.PAGE.RECLAIM': 28,
  'TDH.MEM.PAGE.REMOVE': 29,
  'TDH.MEM.TRACK': 38,
  'TDH.PHYMEM.CACHE.WB': 40,
  'TDH.PHYMEM.PAGE.WBINVD': 41,
  'TDH.VP.WR': 43,
  // With dynamic PAMT only.
  'TDH.PHYMEM.PAMT.ADD': 58,
  'TDH.PHYMEM.PAMT.REMOVE': 59,
} as const;

export type SeamcallName = keyof typeof seamcalls;
