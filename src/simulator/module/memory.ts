/** Leaves on private memory: TDH.MEM.* and TDH.MR.*. A GPA operand carries its level in bits 2:0. */

import { mrExtendChunkBytes } from '../../abi/tdx/mrtd.ts';
import { statusCodes, statusWord } from '../../abi/tdx/status.ts';
import { type Gpa, type Hpa, pageSize } from './addresses.ts';
import { checkBuildState, checkPage, isPrivateGpa, pageMetadata, splitGpa } from './checks.ts';
import type { ModuleState } from './module-state.ts';
import type { InitializedTd, OpState, Td } from './states.ts';

const success = statusCodes.TDX_SUCCESS;

/** The TD that RDX names, once its TDR and state have passed; else the refusal. */
function openTd(
  module: ModuleState,
  tdr: Hpa,
  allowed: OpState | readonly OpState[],
  operand: 'RCX' | 'RDX',
): { readonly td: Td; readonly initialized: InitializedTd } | bigint {
  const page = checkPage(module, tdr, 'TDR', operand);
  if (page !== success) return page;
  const td = pageMetadata(module, tdr).owner;
  const state = checkBuildState(module, td, allowed);
  if (state !== success) return state;
  if (td.initialized === undefined) throw new Error('an initialised TD without its TDCS');
  return { td, initialized: td.initialized };
}

export function memSeptAdd(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): bigint {
  const opened = openTd(module, rdx, ['INITIALIZED', 'RUNNABLE'], 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const sept = initialized.secureEpt;
  const { gpa, level } = splitGpa(rcx);
  if (level < 1 || level > sept.topLevel || !isPrivateGpa(td, gpa, level)) {
    return statusWord('TDX_OPERAND_INVALID', 'RCX');
  }
  if (!sept.reaches(gpa, level)) return statusWord('TDX_EPT_WALK_FAILED', 'RCX');
  if (sept.hasTable(gpa, level)) return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  const page = checkPage(module, r8, 'NDA', 'R8');
  if (page !== success) return page;

  sept.addTable(gpa, level, r8);
  module.pamt.set(r8, { type: 'EPT', owner: td, vcpu: undefined });
  td.childPages++;
  return success;
}

/** R9 is the source page: shared memory of the host, whose content is copied. */
export function memPageAdd(
  module: ModuleState,
  { rcx, rdx, r8, r9 }: { rcx: number; rdx: Hpa; r8: Hpa; r9: Uint8Array },
): bigint {
  const opened = openTd(module, rdx, 'INITIALIZED', 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const sept = initialized.secureEpt;
  const { gpa, level } = splitGpa(rcx);
  if (level !== 0 || !isPrivateGpa(td, gpa, 0)) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  if (!sept.reaches(gpa, 0)) return statusWord('TDX_EPT_WALK_FAILED', 'RCX');
  if (sept.page(gpa) !== undefined) return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  if (r9.length !== pageSize) return statusWord('TDX_OPERAND_INVALID', 'R9');
  const page = checkPage(module, r8, 'NDA', 'R8');
  if (page !== success) return page;

  sept.addPage(gpa, r8);
  module.pamt.set(r8, { type: 'REG', owner: td, vcpu: undefined });
  td.childPages++;
  initialized.content.set(gpa, r9.slice());
  initialized.mrtd.pageAdd(BigInt(gpa));
  return success;
}

/** A page of a running TD: nothing is copied or measured, and the guest has to accept it. */
export function memPageAug(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): bigint {
  const opened = openTd(module, rdx, 'RUNNABLE', 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const sept = initialized.secureEpt;
  const { gpa, level } = splitGpa(rcx);
  if (level !== 0 || !isPrivateGpa(td, gpa, 0)) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  if (!sept.reaches(gpa, 0)) return statusWord('TDX_EPT_WALK_FAILED', 'RCX');
  if (sept.page(gpa) !== undefined) return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  const page = checkPage(module, r8, 'NDA', 'R8');
  if (page !== success) return page;

  sept.addPage(gpa, r8);
  module.pamt.set(r8, { type: 'REG', owner: td, vcpu: undefined });
  td.childPages++;
  return success;
}

/** Measures 256 bytes of a page that was added. */
export function mrExtend(module: ModuleState, { rcx, rdx }: { rcx: number; rdx: Hpa }): bigint {
  const opened = openTd(module, rdx, 'INITIALIZED', 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const offset = rcx % pageSize;
  const gpa: Gpa = rcx - offset;
  if (rcx % mrExtendChunkBytes !== 0 || !isPrivateGpa(td, gpa, 0)) {
    return statusWord('TDX_OPERAND_INVALID', 'RCX');
  }
  const sept = initialized.secureEpt;
  if (!sept.reaches(gpa, 0)) return statusWord('TDX_EPT_ENTRY_NOT_PRESENT', 'RCX');
  const content = initialized.content.get(gpa);
  if (sept.page(gpa)?.blockedAtEpoch !== undefined || content === undefined) {
    return statusCodes.TDX_EPT_ENTRY_NOT_PRESENT;
  }

  initialized.mrtd.extend(BigInt(rcx), content.subarray(offset, offset + mrExtendChunkBytes));
  return success;
}

export function mrFinalize(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  const opened = openTd(module, rcx, 'INITIALIZED', 'RCX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  if (initialized.vcpus === 0) return statusCodes.TDX_NO_VCPUS;

  initialized.finalMrtd = initialized.mrtd.finalize();
  initialized.content.clear();
  td.opState = 'RUNNABLE';
  return success;
}

export function memRangeBlock(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): bigint {
  const opened = openTd(module, rdx, ['INITIALIZED', 'RUNNABLE'], 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const { gpa, level } = splitGpa(rcx);
  // Only 4 KiB pages are modelled; a block of a whole table would be of level 1 and above.
  if (level !== 0 || !isPrivateGpa(td, gpa, 0)) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  const entry = initialized.secureEpt.page(gpa);
  if (entry === undefined) return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  if (entry.blockedAtEpoch !== undefined) {
    return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  }
  entry.blockedAtEpoch = initialized.epoch;
  return success;
}

/** Starts a new TLB epoch. */
export function memTrack(module: ModuleState, { rcx }: { rcx: Hpa }): bigint {
  const opened = openTd(module, rcx, ['INITIALIZED', 'RUNNABLE'], 'RCX');
  if (typeof opened === 'bigint') return opened;
  opened.initialized.epoch++;
  return success;
}

export function memPageRemove(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): bigint {
  const opened = openTd(module, rdx, ['INITIALIZED', 'RUNNABLE'], 'RDX');
  if (typeof opened === 'bigint') return opened;
  const { td, initialized } = opened;
  const { gpa, level } = splitGpa(rcx);
  if (level !== 0 || !isPrivateGpa(td, gpa, 0)) return statusWord('TDX_OPERAND_INVALID', 'RCX');
  const entry = initialized.secureEpt.page(gpa);
  if (entry?.blockedAtEpoch === undefined) {
    return statusWord('TDX_EPT_ENTRY_STATE_INCORRECT', 'RCX');
  }
  if (entry.blockedAtEpoch >= initialized.epoch) return statusCodes.TDX_TLB_TRACKING_NOT_DONE;

  initialized.secureEpt.removePage(gpa);
  initialized.content.delete(gpa);
  module.pamt.delete(entry.hpa);
  td.childPages--;
  return success;
}
