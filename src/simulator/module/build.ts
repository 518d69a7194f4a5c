/** Leaves that make a TD: TDH.MNG.CREATE, KEY.CONFIG, ADDCX, INIT and RD. */

import { MrtdStream } from '../../abi/tdx/mrtd.ts';
import { statusCodes, statusWord } from '../../abi/tdx/status.ts';
import { eptpControls, type TdParams } from '../../abi/tdx/td-params.ts';
import type { Hpa } from './addresses.ts';
import { checkBuildState, checkPage, opStateIncorrect, pageMetadata } from './checks.ts';
import { readTdField } from './metadata-fields.ts';
import { type ModuleState, packageOf } from './module-state.ts';
import { SecureEpt } from './secure-ept.ts';
import type { Td } from './states.ts';
import { checkTdParams } from './td-params-checks.ts';

const success = statusCodes.TDX_SUCCESS;

export function mngCreate(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: number }): bigint {
  const page = checkPage(module, rcx, 'NDA', 'RCX');
  if (page !== success) return page;
  const key = module.keys.entry(rdx);
  if (key === undefined) return statusWord('TDX_OPERAND_INVALID', 'RDX');
  if (key.state !== 'FREE') return statusCodes.TDX_HKID_NOT_FREE;

  key.state = 'ASSIGNED';
  const td: Td = {
    tdr: rcx,
    hkid: rdx,
    lifecycle: 'HKID_ASSIGNED',
    fatal: false,
    childPages: 0,
    configuredPackages: 0,
    tdcxPages: 0,
    opState: 'UNINITIALIZED',
    initialized: undefined,
  };
  module.pamt.set(rcx, { type: 'TDR', owner: td, vcpu: undefined });
  return success;
}

/** Runs once on each package; the last one makes the keys usable. */
export function mngKeyConfig(
  module: ModuleState,
  { rcx }: { rcx: Hpa },
  logicalCpu: number,
): bigint {
  const page = checkPage(module, rcx, 'TDR', 'RCX');
  if (page !== success) return page;
  const td = pageMetadata(module, rcx).owner;
  if (td.fatal) return statusCodes.TDX_TD_FATAL;
  if (td.lifecycle !== 'HKID_ASSIGNED') return statusCodes.TDX_LIFECYCLE_STATE_INCORRECT;
  const bit = 1 << packageOf(module.limits, logicalCpu);
  if ((td.configuredPackages & bit) !== 0) return statusCodes.TDX_KEY_CONFIGURED;

  td.configuredPackages |= bit;
  if (td.configuredPackages === (1 << module.limits.packages) - 1) td.lifecycle = 'KEYS_CONFIGURED';
  return success;
}

export function mngAddcx(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): bigint {
  const tdr = checkPage(module, rdx, 'TDR', 'RDX');
  if (tdr !== success) return tdr;
  const td = pageMetadata(module, rdx).owner;
  if (td.fatal) return statusCodes.TDX_TD_FATAL;
  if (td.lifecycle !== 'KEYS_CONFIGURED') return statusCodes.TDX_TD_KEYS_NOT_CONFIGURED;
  const { base, max } = module.release.tdcxPages;
  if (td.tdcxPages >= max) return statusCodes.TDX_TDCX_NUM_INCORRECT;
  // Before the minimum is there, there is no TDCS and so no OP_STATE to look at.
  if (td.tdcxPages >= base && td.opState !== 'UNINITIALIZED') {
    return opStateIncorrect(module, td.opState, 'UNINITIALIZED');
  }
  const page = checkPage(module, rcx, 'NDA', 'RCX');
  if (page !== success) return page;

  module.pamt.set(rcx, { type: 'TDCX', owner: td, vcpu: undefined });
  td.tdcxPages++;
  td.childPages++;
  return success;
}

/** RDX points to TD_PARAMS; a refusal leaves the TD uninitialised, so it may be tried again. */
export function mngInit(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: TdParams }): bigint {
  const page = checkPage(module, rcx, 'TDR', 'RCX');
  if (page !== success) return page;
  const td = pageMetadata(module, rcx).owner;
  const state = checkBuildState(module, td, 'UNINITIALIZED');
  if (state !== success) return state;
  const params = checkTdParams(module, td, rdx);
  if (params !== success) return params;

  td.initialized = {
    params: rdx,
    secureEpt: new SecureEpt(rdx.eptpControls === eptpControls.fiveLevels ? 5 : 4),
    mrtd: new MrtdStream(),
    finalMrtd: undefined,
    content: new Map(),
    vcpus: 0,
    associatedVcpus: 0,
    x2apicIds: new Set(),
    epoch: 0,
  };
  td.opState = 'INITIALIZED';
  return success;
}

/** One 64-bit element of the TD's metadata, in R8. */
export function mngRd(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: bigint }): bigint {
  const page = checkPage(module, rcx, 'TDR', 'RCX');
  if (page !== success) return page;
  const td = pageMetadata(module, rcx).owner;
  const state = checkBuildState(module, td, ['INITIALIZED', 'RUNNABLE']);
  if (state !== success) return state;
  const value = readTdField(module, td, rdx);
  if (value === undefined) return statusCodes.TDX_METADATA_FIELD_NOT_READABLE;
  module.out.r8 = value;
  return success;
}
