/** TDH.MNG.INIT refuses these values in TD_PARAMS. The order is that of the book. */

import { attributeMask } from '../../abi/tdx/attributes.ts';
import type { tdParamsChecks } from '../../abi/tdx/checks/build.ts';
import {
  configFlags,
  eptpControls,
  type TdParams,
  tscFrequencyUnitKhz,
} from '../../abi/tdx/td-params.ts';
import {
  refusedCpuid,
  type TdParamsFacts,
  type TdParamsRule,
  tdParamsRules,
} from '../../abi/tdx/td-params-rules.ts';
import { type TdCall, tdOf } from './common-steps.ts';
import { cpuidKey } from './cpuid.ts';
import type { ModuleState } from './module-state.ts';

export interface InitCall extends TdCall {
  readonly params: TdParams;
  /** What the rules look at, once it was asked for. */
  facts: TdParamsFacts | undefined;
}

type Steps = Readonly<Record<keyof typeof tdParamsChecks, (call: InitCall) => boolean>>;

export const tdParamsSteps: Steps = {
  'mng-init.attributes': byRule('mng-init.attributes'),
  'mng-init.xfam': byRule('mng-init.xfam'),
  'mng-init.max-vcpus': byRule('mng-init.max-vcpus'),
  'mng-init.num-l2-vms': ({ params }) => params.numL2Vms > 3,
  'mng-init.tdcs-of-l2-vms': (call) =>
    tdOf(call).tdcxPages < call.module.release.tdcxPages.base + call.params.numL2Vms,
  'mng-init.config-flags': ({ module, params }) =>
    (params.configFlags & ~module.limits.configFlagsFixed0) !== 0n,
  'mng-init.eptp-controls': ({ module, params }) => !eptpAllowed(module, params),
  'mng-init.tsc-frequency': byRule('mng-init.tsc-frequency'),
  // The reserved fields are not part of the struct here, except for the reserved bits of
  // MSR_CONFIG_CTLS.
  'mng-init.reserved': ({ params }) => (params.msrConfigCtls & ~1) !== 0,
  'mng-init.cpuid-config': (call) => {
    const refused = refusedCpuid(factsOf(call));
    if (refused === undefined) return false;
    const { leaf, subleaf = 0xffff_ffff } = refused;
    call.module.out.rcx = BigInt(leaf) | (BigInt(subleaf) << 32n);
    return true;
  },
  'mng-init.cpuid-tail': ({ module, params }) =>
    params.cpuidConfig
      .slice(module.release.cpuidConfig.length)
      .some((row) => (row.eax | row.ebx | row.ecx | row.edx) !== 0),
  'mng-init.arch-capabilities': ({ params }) =>
    (params.msrConfigCtls & 1) === 0 && params.ia32ArchCapabilitiesConfig !== 0n,
  'mng-init.migratable-with-l2-vms': ({ params }) =>
    (params.attributes & attributeMask.migratable) !== 0n && params.numL2Vms > 0,
};

function byRule(check: TdParamsRule) {
  const { refuses } = tdParamsRules[check];
  return (call: InitCall) => refuses(factsOf(call));
}

function factsOf(call: InitCall): TdParamsFacts {
  call.facts ??= tdParamsFacts(call.module, call.params);
  return call.facts;
}

function tdParamsFacts(module: ModuleState, params: TdParams): TdParamsFacts {
  const { limits, release, nativeCpuid } = module;
  const leaf1 = cpuidKey(1, undefined);
  return {
    attributes: params.attributes,
    xfam: params.xfam,
    maxVcpus: params.maxVcpus,
    tscKhz: params.tscFrequency * tscFrequencyUnitKhz,
    cpuid: release.cpuidConfig.flatMap((configurable, i) => {
      const chosen = params.cpuidConfig[i];
      const { leaf, subleaf } = configurable;
      return chosen === undefined ? [] : [{ leaf, subleaf, configurable, chosen }];
    }),
    limits: {
      attributesFixed0: limits.attributesFixed0,
      xfamFixed0: limits.xfamFixed0,
      maxVcpusPerTd: limits.maxVcpusPerTd,
      cpuModel: (leaf1 === undefined ? undefined : nativeCpuid.get(leaf1)?.eax) ?? 0,
    },
  };
}

function eptpAllowed(module: ModuleState, params: TdParams): boolean {
  const wide = (params.configFlags & configFlags.GPAW) !== 0n;
  if (params.eptpControls === eptpControls.fiveLevels) return module.profile.platform.fiveLevelEpt;
  return params.eptpControls === eptpControls.fourLevels && !wide;
}
