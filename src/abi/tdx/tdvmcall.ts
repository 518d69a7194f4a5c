/**
 * TDVMCALL leaves of the GHCI, which are `tdx.nr` of KVM_EXIT_TDX, and their status codes. Source:
 * arch/x86/include/asm/shared/tdx.h, Linux 7.3.
 */
export const tdvmcallLeaves = {
  GetTdVmCallInfo: 0x10000,
  MapGPA: 0x10001,
  GetQuote: 0x10002,
  ReportFatalError: 0x10003,
  SetupEventNotifyInterrupt: 0x10004,
} as const;

export const tdvmcallStatus = {
  SUCCESS: 0n,
  RETRY: 1n,
  INVALID_OPERAND: 0x8000_0000_0000_0000n,
  ALIGN_ERROR: 0x8000_0000_0000_0002n,
  SUBFUNC_UNSUPPORTED: 0x8000_0000_0000_0003n,
} as const;
