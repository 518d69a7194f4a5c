/**
 * TDG.VP.VMCALL: what a TD asks of its host. Source: the GHCI's numbers as Linux 7.3 has them,
 * arch/x86/include/asm/shared/tdx.h.
 */
export const tdVmCallLeaves = {
  GetTdVmCallInfo: 0x10000n,
  MapGPA: 0x10001n,
  GetQuote: 0x10002n,
  ReportFatalError: 0x10003n,
  SetupEventNotifyInterrupt: 0x10004n,
} as const;

/** What the guest finds in R10. */
export const tdVmCallStatuses = {
  SUCCESS: 0n,
  RETRY: 1n,
  INVALID_OPERAND: 0x8000_0000_0000_0000n,
  ALIGN_ERROR: 0x8000_0000_0000_0002n,
  SUBFUNC_UNSUPPORTED: 0x8000_0000_0000_0003n,
} as const;
