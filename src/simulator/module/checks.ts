/** Checks that many leaves share (tdx-module 2.3), each answering TDX_SUCCESS or the refusal. */
import { type OperandName, statusCodes, statusWord } from '../../abi/tdx/status.ts';
import { type Gpa, type Hpa, pageSize } from './addresses.ts';
import type { ModuleState } from './module-state.ts';
import type { OpState, PageMetadata, PageType, Td } from './states.ts';

const success = statusCodes.TDX_SUCCESS;

/** 2.3 step 3: a page that the host gives or names. `NDA` is a page of the host's own. */
export function checkPage(
  module: ModuleState,
  hpa: Hpa,
  expected: PageType | 'NDA',
  operand: OperandName,
): bigint {
  if (hpa % pageSize !== 0 || hpa < 0) return statusWord('TDX_OPERAND_INVALID', operand);
  if (hpa >= module.limits.memoryBytes) return statusWord('TDX_OPERAND_ADDR_RANGE_ERROR', operand);
  const type = module.pamt.get(hpa)?.type ?? 'NDA';
  return type === expected ? success : statusWord('TDX_PAGE_METADATA_INCORRECT', operand);
}

/** The metadata of a page that {@link checkPage} has passed as one of the module's. */
export function pageMetadata(module: ModuleState, hpa: Hpa): PageMetadata {
  const metadata = module.pamt.get(hpa);
  if (metadata === undefined) throw new Error(`page 0x${hpa.toString(16)} is not the module's`);
  return metadata;
}

/** 2.3 step 4: the TD can be worked on, and its OP_STATE is one that the leaf allows. */
export function checkBuildState(
  module: ModuleState,
  td: Td,
  allowed: OpState | readonly OpState[],
): bigint {
  if (td.fatal) return statusCodes.TDX_TD_FATAL;
  if (td.lifecycle !== 'KEYS_CONFIGURED') return statusCodes.TDX_TD_KEYS_NOT_CONFIGURED;
  if (td.tdcxPages < module.release.tdcxPages.base) return statusCodes.TDX_TDCS_NOT_ALLOCATED;
  const ok = typeof allowed === 'string' ? td.opState === allowed : allowed.includes(td.opState);
  return ok ? success : opStateIncorrect(module, td.opState, allowed);
}

/** 1.0 has four codes for what every later release calls TDX_OP_STATE_INCORRECT. */
export function opStateIncorrect(
  module: ModuleState,
  state: OpState,
  allowed: OpState | readonly OpState[],
): bigint {
  if (module.release.statusCodes !== '1.0') return statusCodes.TDX_OP_STATE_INCORRECT;
  if (state === 'UNINITIALIZED') return statusCodes.TDX_TD_NOT_INITIALIZED;
  if (state === 'RUNNABLE') return statusCodes.TDX_TD_FINALIZED;
  const wants = typeof allowed === 'string' ? allowed : allowed[0];
  return wants === 'UNINITIALIZED'
    ? statusCodes.TDX_TD_INITIALIZED
    : statusCodes.TDX_TD_NOT_FINALIZED;
}

/** A GPA operand: its level is in the three lowest bits, and it must be private. */
export function splitGpa(operand: number): { readonly gpa: Gpa; readonly level: number } {
  const level = operand % 8;
  return { gpa: operand - level, level };
}

/** True for a private guest physical address that is aligned to its level. */
export function isPrivateGpa(td: Td, gpa: Gpa, level: number): boolean {
  const width = sharedBit(td);
  return gpa >= 0 && gpa < 2 ** width && gpa % (pageSize * 512 ** level) === 0;
}

/** GPAW decides which address bit means shared: 47, or 51 with 52-bit addresses. */
function sharedBit(td: Td): number {
  return ((td.initialized?.params.configFlags ?? 0n) & 1n) === 1n ? 51 : 47;
}
