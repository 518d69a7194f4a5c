/**
 * What KVM_TDX_INIT_VM would refuse, found beforehand and named by field.
 *
 * The kernel answers many different mistakes with the same EINVAL, and the TDX module adds its own. The
 * checks are made in the order of the kernel's record, as far as user space can know them before it
 * asks; the first that applies is the row by which the kernel would refuse, with its errno.
 */
import {
  allZero,
  type CpuidRegisters,
  cpuidRegisters,
  eachRegister,
} from '../abi/cpuid/registers.ts';
import { book, type CheckName, type CheckOrder, errnosOf } from '../abi/kvm/checks/index.ts';
import { findEntry } from '../abi/kvm/cpuid.ts';
import type { ErrnoName } from '../abi/kvm/errno.ts';
import { type InitVmFacts, type InitVmRule, initVmRules } from '../abi/kvm/init-vm-rules.ts';
import { type CpuidEntry, fixedInitVmEntries, KVM_MAX_CPUID_ENTRIES } from '../abi/kvm/structs.ts';
import { leafChecks, type ModuleCheckName } from '../abi/tdx/checks/index.ts';
import { tdTopology } from '../abi/tdx/cpuid/td-topology.ts';
import { moduleRelease } from '../abi/tdx/module-releases.ts';
import {
  isTdParamsRule,
  type TdParamsFacts,
  type TdParamsRule,
  tdParamsRules,
} from '../abi/tdx/td-params-rules.ts';
import { xfamFixed1 } from '../abi/tdx/xfam.ts';
import type { TdxCapabilities, TdxInitVm } from '../host/port.ts';

/** What of a host decides over INIT_VM. undefined: not known, so nothing is said of it. */
export interface InitVmGround {
  /** Those that its kernel makes of KVM_TDX_INIT_VM, in its order. */
  readonly checks: CheckOrder;
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
  readonly guestAddressWidths: readonly number[];
  /** What TD_PARAMS.TSC_FREQUENCY is made of: KVM_SET_TSC_KHZ, or the host's own. */
  readonly tscKhz: number | undefined;
  /** kvm->max_vcpus as the request leaves it: KVM writes it into TD_PARAMS.MAX_VCPUS. */
  readonly maxVcpus: number;
  /** KVM_MAX_VCPUS. */
  readonly kvmMaxVcpus: number;
  readonly moduleMaxVcpus: number | undefined;
  readonly moduleRelease: string | undefined;
  readonly freeKeySlots: number | undefined;
  /** How many more TDs the misc cgroup of the caller allows. */
  readonly cgroupRoom: number | undefined;
}

export interface InitVmRefusal {
  /** The row of the kernel that refuses. */
  readonly check: CheckName;
  /** The row of the TDX module, where it is the module that refuses. */
  readonly moduleCheck?: ModuleCheckName;
  readonly errno: ErrnoName;
  readonly field: InitVmField;
  /** A clause about the field. */
  readonly problem: string;
}

export type InitVmField =
  | 'attributes'
  | 'xfam'
  | 'gpaw'
  | 'cpuid'
  | 'tsc'
  | 'maxVcpus'
  | 'keySlot'
  | 'cgroup';

interface Asked {
  readonly params: TdxInitVm;
  readonly ground: InitVmGround;
  /** What the rules of KVM look at. */
  readonly facts: InitVmFacts;
}

/** A field, and what is wrong with it: no problem where the check passes. */
type Finding = Pick<InitVmRefusal, 'field' | 'problem' | 'moduleCheck'>;
type Finder = (asked: Asked) => readonly Finding[];

/** The checks of the kernel that user space can make. */
const finders: Readonly<Partial<Record<CheckName, Finder>>> = {
  'init-vm.too-many-cpuid-entries': ({ params: { cpuid } }) =>
    tooManyEntries(cpuid, KVM_MAX_CPUID_ENTRIES),
  'init-vm.too-many-for-struct': ({ params: { cpuid } }) =>
    tooManyEntries(cpuid, fixedInitVmEntries),
  'init-vm.max-vcpus-too-large': ({ params: { maxVcpus = 0 }, ground: { kvmMaxVcpus } }) =>
    maxVcpus > kvmMaxVcpus
      ? [{ field: 'maxVcpus', problem: `${maxVcpus} vCPUs; KVM takes at most ${kvmMaxVcpus}` }]
      : [],
  'init-vm.attributes': byRule('init-vm.attributes', 'attributes'),
  'init-vm.xfam': byRule('init-vm.xfam', 'xfam'),
  'init-vm.address-width': byRule('init-vm.address-width', 'gpaw'),
  'init-vm.no-5-level-ept': byRule('init-vm.no-5-level-ept', 'gpaw'),
  'init-vm.cpuid-forbidden': byRule('init-vm.cpuid-forbidden', 'cpuid'),
  'init-vm.cpuid-unmatched': byRule('init-vm.cpuid-unmatched', 'cpuid'),
  'init-vm.no-key-slot': ({ ground: { freeKeySlots } }) =>
    freeKeySlots === 0
      ? [{ field: 'keySlot', problem: 'no key slot (HKID) of the host is free' }]
      : [],
  'init-vm.cgroup-limit': ({ ground: { cgroupRoom } }) =>
    cgroupRoom !== undefined && cgroupRoom <= 0
      ? [{ field: 'cgroup', problem: 'the misc cgroup is at its limit for `tdx`' }]
      : [],
  'init-vm.module-refused-operand': byModule,
  'init-vm.module-failed': byTopology,
};

/** Every refusal, in the order in which the kernel would meet them. Empty: it would succeed. */
export function preflightInitVm(params: TdxInitVm, ground: InitVmGround): InitVmRefusal[] {
  const asked: Asked = { params, ground, facts: kernelFacts(params, ground) };
  return ground.checks.flatMap((check) => {
    const findings = finders[check]?.(asked) ?? [];
    const [errno] = errnosOf(book[check]);
    return errno === undefined ? [] : findings.map((finding) => ({ check, errno, ...finding }));
  });
}

function tooManyEntries({ length }: TdxInitVm['cpuid'], most: number): Finding[] {
  return length > most
    ? [{ field: 'cpuid', problem: `${length} CPUID entries; KVM takes at most ${most}` }]
    : [];
}

function byRule(check: InitVmRule, field: InitVmField): Finder {
  const { refuses, problems } = initVmRules[check];
  return ({ facts }) =>
    refuses(facts) ? problems(facts).map((problem) => ({ field, problem })) : [];
}

function kernelFacts(params: TdxInitVm, ground: InitVmGround): InitVmFacts {
  const { capabilities, guestAddressWidths } = ground;
  return {
    ...params,
    ...capabilities,
    entries: params.cpuid,
    found: ground.capabilities.configurableCpuid.map((leaf) =>
      findEntry(params.cpuid, leaf.function, leaf.index),
    ),
    has5LevelEpt: guestAddressWidths.includes(52),
  };
}

const fieldOfModuleCheck: Readonly<Record<TdParamsRule, InitVmField>> = {
  'mng-init.attributes': 'attributes',
  'mng-init.xfam': 'xfam',
  'mng-init.max-vcpus': 'maxVcpus',
  'mng-init.tsc-frequency': 'tsc',
  'mng-init.cpuid-config': 'cpuid',
};

/** TDH.MNG.INIT, in its own order. */
function byModule(asked: Asked): Finding[] {
  const facts = moduleFacts(asked);
  return Object.keys(leafChecks['TDH.MNG.INIT'])
    .filter(isTdParamsRule)
    .flatMap((moduleCheck) => {
      const { refuses, problems } = tdParamsRules[moduleCheck];
      const field = fieldOfModuleCheck[moduleCheck];
      return refuses(facts)
        ? problems(facts).map((problem) => ({ moduleCheck, field, problem }))
        : [];
    });
}

/** Levels that are all 0 stand for the topology of the host. */
function byTopology({ ground, facts: { found } }: Asked): Finding[] {
  const levels = ground.capabilities.configurableCpuid.flatMap((leaf, i) =>
    leaf.function === 0x1f ? [found[i] ?? allZero] : [],
  );
  const isHosts = levels.every((level) =>
    cpuidRegisters.every((register) => level[register] === 0),
  );
  if (isHosts || tdTopology(levels, levels) !== undefined) return [];
  const moduleCheck = 'mng-init.cpuid-topology';
  return [{ moduleCheck, field: 'cpuid', problem: leafChecks['TDH.MNG.INIT'][moduleCheck].when }];
}

/**
 * Bits that the module takes although the CPU lacks them, and then shows as 0. The host is not told of them: it
 * is told what can be had.
 */
function allowedBits({ moduleRelease: name }: InitVmGround, entry: CpuidEntry): CpuidRegisters {
  const leaves = name === undefined ? [] : (moduleRelease(name)?.cpuid.configurable ?? []);
  const row = leaves.find(
    ({ leaf, subleaf }) => leaf === entry.function && (subleaf ?? 0) === entry.index,
  );
  return row?.allowed ?? allZero;
}

const either = (one: CpuidRegisters, other: CpuidRegisters): CpuidRegisters =>
  eachRegister((register) => one[register] | other[register]);

function moduleFacts({ params, ground, facts: { found } }: Asked): TdParamsFacts {
  const { capabilities, supportedCpuid, maxVcpus, tscKhz, moduleMaxVcpus } = ground;
  return {
    attributes: params.attributes,
    // KVM sets the bits that every TD has.
    xfam: params.xfam | xfamFixed1,
    maxVcpus: maxVcpus & 0xffff,
    tscKhz,
    cpuid: capabilities.configurableCpuid.flatMap((configurable, i) => {
      const chosen = found[i];
      if (chosen === undefined) return [];
      const { function: leaf, index: subleaf } = configurable;
      const alsoTaken = allowedBits(ground, configurable);
      return [{ leaf, subleaf, configurable: either(configurable, alsoTaken), chosen }];
    }),
    limits: {
      // KVM passes no bit on that it has not found in the module.
      attributesFixed0: undefined,
      xfamFixed0: undefined,
      maxVcpusPerTd: moduleMaxVcpus,
      cpuModel: findEntry(supportedCpuid, 1)?.eax,
    },
  };
}
