/** These leaves make a TD: TDH.MNG.CREATE, KEY.CONFIG, ADDCX, INIT and RD. */

import { MrtdStream } from '../../abi/tdx/mrtd.ts';
import { eptpControls, type TdParams } from '../../abi/tdx/td-params.ts';
import type { Hpa } from './addresses.ts';
import { checksOf, firstRefusal, type LeafAnswer } from './checks.ts';
import { type PageCall, pageSteps, type TdCall, tdOf, tdrSteps } from './common-steps.ts';
import { readTdField } from './metadata-fields.ts';
import { type ModuleState, packageOf } from './module-state.ts';
import { SecureEpt } from './secure-ept.ts';
import type { Td } from './states.ts';
import { type InitCall, tdParamsSteps, virtualised } from './td-params-checks.ts';

interface CreateCall extends PageCall {
  readonly hkid: number;
}

const createChecks = checksOf<'TDH.MNG.CREATE', CreateCall>('TDH.MNG.CREATE', {
  ...pageSteps,
  'mng-create.hkid-not-private': ({ module, hkid }) => module.keys.entry(hkid) === undefined,
  'mng-create.hkid-not-free': ({ module, hkid }) => module.keys.of(hkid).state !== 'FREE',
});

export function mngCreate(
  module: ModuleState,
  { rcx, rdx }: { rcx: Hpa; rdx: number },
): LeafAnswer {
  const call = { module, page: rcx, hkid: rdx };
  const refused = firstRefusal(createChecks, call);
  if (refused !== undefined) return refused;

  module.keys.of(rdx).state = 'ASSIGNED';
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
  return undefined;
}

interface KeyConfigCall extends TdCall {
  /** Bit of the package in the TD's configured packages. */
  readonly bit: number;
}

const keyConfigChecks = checksOf<'TDH.MNG.KEY.CONFIG', KeyConfigCall>('TDH.MNG.KEY.CONFIG', {
  ...tdrSteps,
  'mng-key-config.wrong-lifecycle': (call) => tdOf(call).lifecycle !== 'HKID_ASSIGNED',
  'mng-key-config.done-already': (call) => (tdOf(call).configuredPackages & call.bit) !== 0,
});

/** The leaf runs once on each package, and the last one makes the keys usable. */
export function mngKeyConfig(
  module: ModuleState,
  { rcx }: { rcx: Hpa },
  logicalCpu: number,
): LeafAnswer {
  const call = {
    module,
    handle: rcx,
    metadata: undefined,
    bit: 1 << packageOf(module.limits, logicalCpu),
  };
  const refused = firstRefusal(keyConfigChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  td.configuredPackages |= call.bit;
  if (td.configuredPackages === (1 << module.limits.packages) - 1) td.lifecycle = 'KEYS_CONFIGURED';
  return undefined;
}

const addcxChecks = checksOf<'TDH.MNG.ADDCX', TdCall & PageCall>('TDH.MNG.ADDCX', {
  ...tdrSteps,
  ...pageSteps,
  'mng-addcx.too-many': (call) => tdOf(call).tdcxPages >= call.module.release.tdcxPages.max,
});

export function mngAddcx(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): LeafAnswer {
  const call = { module, handle: rdx, metadata: undefined, page: rcx };
  const refused = firstRefusal(addcxChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  module.pamt.set(rcx, { type: 'TDCX', owner: td, vcpu: undefined });
  td.tdcxPages++;
  td.childPages++;
  return undefined;
}

const initChecks = checksOf<'TDH.MNG.INIT', InitCall>('TDH.MNG.INIT', {
  ...tdrSteps,
  ...tdParamsSteps,
});

/** RDX points to TD_PARAMS; a refusal leaves the TD uninitialised, so it may be tried again. */
export function mngInit(
  module: ModuleState,
  { rcx, rdx }: { rcx: Hpa; rdx: TdParams },
): LeafAnswer {
  const call: InitCall = {
    module,
    handle: rcx,
    metadata: undefined,
    params: rdx,
    facts: undefined,
    cpuid: undefined,
  };
  const refused = firstRefusal(initChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  td.initialized = {
    params: rdx,
    // Another topology has been refused.
    cpuid: virtualised(call) ?? { leaves: new Map(), values: new Map() },
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
  return undefined;
}

interface ReadCall extends TdCall {
  readonly field: bigint;
  value: bigint | undefined;
}

const readChecks = checksOf<'TDH.MNG.RD', ReadCall>('TDH.MNG.RD', {
  ...tdrSteps,
  'mng-rd.not-readable': (call) => {
    call.value = readTdField(call.module, tdOf(call), call.field);
    return call.value === undefined;
  },
});

/** The leaf gives one 64-bit element of the TD's metadata in R8. */
export function mngRd(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: bigint }): LeafAnswer {
  const call: ReadCall = { module, handle: rcx, metadata: undefined, field: rdx, value: undefined };
  const refused = firstRefusal(readChecks, call);
  if (refused === undefined) module.out.r8 = call.value ?? 0n;
  return refused;
}
