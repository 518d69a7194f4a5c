/** Leaves on vCPUs: TDH.VP.CREATE, ADDCX, INIT, ENTER, FLUSH and WR. */

import { tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import { statusCodes } from '../../abi/tdx/status.ts';
import type { Hpa } from './addresses.ts';
import { checkBuildState, checkPage, pageMetadata } from './checks.ts';
import type { ModuleState } from './module-state.ts';
import type { InitializedTd, Td, TdVcpu } from './states.ts';

const success = statusCodes.TDX_SUCCESS;

export function vpCreate(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): bigint {
  const tdr = checkPage(module, rdx, 'TDR', 'RDX');
  if (tdr !== success) return tdr;
  const td = pageMetadata(module, rdx).owner;
  const state = checkBuildState(module, td, 'INITIALIZED');
  if (state !== success) return state;
  const page = checkPage(module, rcx, 'NDA', 'RCX');
  if (page !== success) return page;

  const vcpu: TdVcpu = {
    tdvpr: rcx,
    td,
    state: 'UNINITIALIZED',
    pages: 1,
    index: -1,
    logicalCpu: undefined,
  };
  module.pamt.set(rcx, { type: 'TDVPR', owner: td, vcpu });
  td.childPages++;
  return success;
}

export function vpAddcx(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): bigint {
  const tdvpr = checkPage(module, rdx, 'TDVPR', 'RDX');
  if (tdvpr !== success) return tdvpr;
  const { owner: td, vcpu } = vcpuOf(module, rdx);
  const state = checkBuildState(module, td, 'INITIALIZED');
  if (state !== success) return state;
  if (vcpu.state !== 'UNINITIALIZED') return statusCodes.TDX_VCPU_STATE_INCORRECT;
  if (vcpu.pages >= module.release.tdvpsPages.max) return statusCodes.TDX_TDCX_NUM_INCORRECT;
  const page = checkPage(module, rcx, 'NDA', 'RCX');
  if (page !== success) return page;

  module.pamt.set(rcx, { type: 'TDCX', owner: td, vcpu });
  vcpu.pages++;
  td.childPages++;
  return success;
}

/** RDX is the guest's first RCX, R8 its x2APIC id. RSI gives the vCPU's index. */
export function vpInit(
  module: ModuleState,
  { rcx, r8 }: { rcx: Hpa; rdx: bigint; r8: number },
  logicalCpu: number,
): bigint {
  const tdvpr = checkPage(module, rcx, 'TDVPR', 'RCX');
  if (tdvpr !== success) return tdvpr;
  const { owner: td, vcpu } = vcpuOf(module, rcx);
  const state = checkBuildState(module, td, 'INITIALIZED');
  if (state !== success) return state;
  if (vcpu.pages < module.release.tdvpsPages.base) return statusCodes.TDX_TDCX_NUM_INCORRECT;
  if (vcpu.state !== 'UNINITIALIZED') return statusCodes.TDX_VCPU_STATE_INCORRECT;
  const initialized = initializedTd(td);
  if (initialized.vcpus >= initialized.params.maxVcpus) return statusCodes.TDX_MAX_VCPUS_EXCEEDED;
  if (enumeratesTopology(module) && initialized.x2apicIds.has(r8)) {
    return statusCodes.TDX_X2APIC_ID_NOT_UNIQUE;
  }

  vcpu.index = initialized.vcpus;
  initialized.vcpus++;
  initialized.x2apicIds.add(r8);
  vcpu.state = 'READY';
  vcpu.logicalCpu = logicalCpu;
  initialized.associatedVcpus++;
  module.out.rsi = BigInt(vcpu.index);
  return success;
}

/** Runs the guest on this logical CPU, which holds the vCPU's state from then on. */
export function vpEnter(module: ModuleState, { rcx }: { rcx: Hpa }, logicalCpu: number): bigint {
  const tdvpr = checkPage(module, rcx, 'TDVPR', 'RCX');
  if (tdvpr !== success) return tdvpr;
  const { owner: td, vcpu } = vcpuOf(module, rcx);
  const state = checkBuildState(module, td, 'RUNNABLE');
  if (state !== success) return state;
  if (vcpu.state !== 'READY') return statusCodes.TDX_VCPU_STATE_INCORRECT;
  if (vcpu.logicalCpu !== undefined && vcpu.logicalCpu !== logicalCpu) {
    return statusCodes.TDX_VCPU_ASSOCIATED;
  }

  if (vcpu.logicalCpu === undefined) initializedTd(td).associatedVcpus++;
  vcpu.logicalCpu = logicalCpu;
  return success;
}

/** Must run on the logical CPU that holds the vCPU's state. Looks at no OP_STATE. */
export function vpFlush(module: ModuleState, { rcx }: { rcx: Hpa }, logicalCpu: number): bigint {
  const tdvpr = checkPage(module, rcx, 'TDVPR', 'RCX');
  if (tdvpr !== success) return tdvpr;
  const { owner: td, vcpu } = vcpuOf(module, rcx);
  if (td.lifecycle !== 'KEYS_CONFIGURED') return statusCodes.TDX_TD_KEYS_NOT_CONFIGURED;
  if (vcpu.logicalCpu !== logicalCpu) return statusCodes.TDX_VCPU_NOT_ASSOCIATED;

  vcpu.logicalCpu = undefined;
  initializedTd(td).associatedVcpus--;
  return success;
}

/** Writes a field of TDVPS. What it holds matters to a running guest only, so it is not kept. */
export function vpWr(module: ModuleState, { rcx }: { rcx: Hpa; rdx: number; r8: bigint }): bigint {
  const tdvpr = checkPage(module, rcx, 'TDVPR', 'RCX');
  if (tdvpr !== success) return tdvpr;
  const { owner: td, vcpu } = vcpuOf(module, rcx);
  const state = checkBuildState(module, td, ['INITIALIZED', 'RUNNABLE']);
  if (state !== success) return state;
  return vcpu.state === 'UNINITIALIZED' ? statusCodes.TDX_VCPU_STATE_INCORRECT : success;
}

/** X2APIC ids are told apart by the modules that enumerate topology. */
function enumeratesTopology(module: ModuleState): boolean {
  return (module.release.features0 & tdxFeatures0.TOPOLOGY_ENUM) !== 0n;
}

function vcpuOf(module: ModuleState, tdvpr: Hpa): { owner: Td; vcpu: TdVcpu } {
  const { owner, vcpu } = pageMetadata(module, tdvpr);
  if (vcpu === undefined) throw new Error('a TDVPR page without a vCPU');
  return { owner, vcpu };
}

function initializedTd(td: Td): InitializedTd {
  if (td.initialized === undefined) throw new Error('a TD with vCPUs that TDH.MNG.INIT never saw');
  return td.initialized;
}
