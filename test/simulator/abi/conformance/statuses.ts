import { statusWord } from '../../../../src/abi/tdx/status.ts';

export const busy = statusWord('TDX_OPERAND_BUSY', 'RCX');
/** A status that KVM expects of no leaf. */
export const other = statusWord('TDX_TD_FATAL');
export const noEntropy = statusWord('TDX_RND_NO_ENTROPY');
