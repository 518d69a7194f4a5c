/** TDH.MNG.INIT refuses these values in TD_PARAMS. The order is that of the book. */

import { executeCpuid } from '../../abi/cpuid/raw.ts';
import { eachRegister } from '../../abi/cpuid/registers.ts';
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
import { oncePer } from '../once-per.ts';
import { type TdCall, tdOf } from './common-steps.ts';
import { cpuidOfTd, type TdCpuid } from './cpuid.ts';
import type { ModuleState } from './module-state.ts';

export interface InitCall extends TdCall {
  readonly params: TdParams;
  /** What the rules look at, once it was asked for. */
  facts: TdParamsFacts | undefined;
  /** What the TD's CPUID will be, once it was calculated. */
  cpuid: TdCpuid | undefined;
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
    const refused = cpuidRefusedBy(factsOf(call));
    if (refused === undefined) return false;
    const { leaf, subleaf = 0xffff_ffff } = refused;
    call.module.out.rcx = BigInt(leaf) | (BigInt(subleaf) << 32n);
    return true;
  },
  'mng-init.cpuid-topology': (call) => virtualised(call) === undefined,
  'mng-init.cpuid-tail': ({ module, params }) =>
    params.cpuidConfig
      .slice(module.release.cpuid.configurable.length)
      .some((row) => (row.eax | row.ebx | row.ecx | row.edx) !== 0),
  'mng-init.arch-capabilities': ({ params }) =>
    (params.msrConfigCtls & 1) === 0 && params.ia32ArchCapabilitiesConfig !== 0n,
  'mng-init.migratable-with-l2-vms': ({ params }) =>
    (params.attributes & attributeMask.migratable) !== 0n && params.numL2Vms > 0,
};

const cpuidRefusedBy = oncePer(refusedCpuid);

/** @returns undefined where the module does not recognise the topology. */
export function virtualised(call: InitCall): TdCpuid | undefined {
  call.cpuid ??= cpuidOfTd(call.module, call.params);
  return call.cpuid;
}

function byRule(check: TdParamsRule) {
  const refuses = oncePer(tdParamsRules[check].refuses);
  return (call: InitCall) => refuses(factsOf(call));
}

function factsOf(call: InitCall): TdParamsFacts {
  call.facts ??= tdParamsFacts(call.module, call.params);
  return call.facts;
}

interface KnownFacts {
  readonly module: Pick<ModuleState, 'release' | 'limits' | 'profile'>;
  readonly facts: TdParamsFacts;
}

/** The last facts of each choice of CPUID: a kernel makes the TD_PARAMS of equal TDs with the same. */
const lastFacts = new WeakMap<TdParams['cpuidConfig'], KnownFacts>();

function tdParamsFacts(module: ModuleState, params: TdParams): TdParamsFacts {
  const { attributes, xfam, maxVcpus, tscFrequency, cpuidConfig } = params;
  const tscKhz = tscFrequency * tscFrequencyUnitKhz;
  const last = lastFacts.get(cpuidConfig);
  const asked = { attributes, xfam, maxVcpus, tscKhz };
  if (last !== undefined && areAlike(last.module, module) && isSame(last.facts, asked)) {
    return last.facts;
  }
  const { limits, release, profile } = module;
  const facts = {
    ...asked,
    cpuid: release.cpuid.configurable.flatMap((row, i) => {
      const { leaf, subleaf, direct, allowed } = row;
      const chosen = cpuidConfig[i];
      if (chosen === undefined) return [];
      const configurable = eachRegister((register) => direct[register] | allowed[register]);
      return [{ leaf, subleaf, configurable, chosen }];
    }),
    limits: {
      attributesFixed0: limits.attributesFixed0,
      xfamFixed0: limits.xfamFixed0,
      maxVcpusPerTd: limits.maxVcpusPerTd,
      cpuModel: executeCpuid(profile.platform.cpuid, 1).eax,
    },
  };
  lastFacts.set(cpuidConfig, { module: { release, limits, profile }, facts });
  return facts;
}

/** Each machine has a module of its own. */
function areAlike(one: KnownFacts['module'], other: KnownFacts['module']): boolean {
  return (
    one.release === other.release &&
    one.profile.platform.cpuid === other.profile.platform.cpuid &&
    one.limits.attributesFixed0 === other.limits.attributesFixed0 &&
    one.limits.xfamFixed0 === other.limits.xfamFixed0 &&
    one.limits.maxVcpusPerTd === other.limits.maxVcpusPerTd
  );
}

function isSame(one: TdParamsFacts, other: Omit<TdParamsFacts, 'cpuid' | 'limits'>): boolean {
  return (
    one.attributes === other.attributes &&
    one.xfam === other.xfam &&
    one.maxVcpus === other.maxVcpus &&
    one.tscKhz === other.tscKhz
  );
}

function eptpAllowed(module: ModuleState, params: TdParams): boolean {
  const wide = (params.configFlags & configFlags.GPAW) !== 0n;
  if (params.eptpControls === eptpControls.fiveLevels) return module.profile.platform.fiveLevelEpt;
  return params.eptpControls === eptpControls.fourLevels && !wide;
}
