/**
 * What TDH.MNG.INIT looks at in TD_PARAMS that user space has a say in: one rule for each check, which
 * the simulated module decides by and which plan asks beforehand.
 */
import { type CpuidRegisters, cpuidRegisters } from '../cpuid/registers.ts';
import { attributeFindings, attributeMask, attributeNames } from './attributes.ts';
import type { LeafCheckName } from './checks/index.ts';
import type { FeatureFinding } from './feature-mask.ts';
import { tscFrequencyOf, tscFrequencyRange } from './td-params.ts';
import { xfamFindings, xfamNames } from './xfam.ts';

export interface TdParamsFacts {
  readonly attributes: bigint;
  readonly xfam: bigint;
  /** As TD_PARAMS has it: 16 bits. */
  readonly maxVcpus: number;
  /** What TSC_FREQUENCY is made of; undefined: not known, so nothing is said of it. */
  readonly tscKhz: number | undefined;
  readonly cpuid: readonly CpuidChoice[];
  readonly limits: TdParamsLimits;
}

/** One configurable leaf, and what is asked of it. */
export interface CpuidChoice {
  readonly leaf: number;
  readonly subleaf: number | undefined;
  readonly configurable: CpuidRegisters;
  readonly chosen: CpuidRegisters;
}

/** What the release and the CPUs allow. undefined: not known, so nothing is held against it. */
export interface TdParamsLimits {
  readonly attributesFixed0: bigint | undefined;
  readonly xfamFixed0: bigint | undefined;
  readonly maxVcpusPerTd: number | undefined;
  /** CPUID(1).EAX of the CPUs: family, model and stepping. */
  readonly cpuModel: number | undefined;
}

interface Rule {
  readonly refuses: (facts: TdParamsFacts) => boolean;
  /** What is wrong, where it refuses: clauses without a full stop. */
  readonly problems: (facts: TdParamsFacts) => readonly string[];
}

export const tdParamsRules = {
  'mng-init.attributes': {
    refuses: ({ attributes, limits }) =>
      beyond(attributes, limits.attributesFixed0) !== 0n ||
      attributeFindings(attributes).length > 0,
    problems: ({ attributes, limits }) => [
      ...attributeNames(beyond(attributes, limits.attributesFixed0)).map(notAllowed),
      ...attributeFindings(attributes).map(findingText),
    ],
  },
  'mng-init.xfam': {
    refuses: ({ xfam, limits }) =>
      beyond(xfam, limits.xfamFixed0) !== 0n || xfamFindings(xfam).length > 0,
    problems: ({ xfam, limits }) => [
      ...xfamNames(beyond(xfam, limits.xfamFixed0)).map(notAllowed),
      ...xfamFindings(xfam).map(findingText),
    ],
  },
  'mng-init.max-vcpus': {
    refuses: ({ maxVcpus, limits }) =>
      maxVcpus === 0 || maxVcpus > (limits.maxVcpusPerTd ?? 0xffff),
    problems: ({ maxVcpus, limits }) => [
      maxVcpus === 0
        ? '0 vCPUs; the TDX module wants at least one'
        : `KVM asks for ${maxVcpus} vCPUs, the TDX module gives a TD ${limits.maxVcpusPerTd}`,
    ],
  },
  'mng-init.tsc-frequency': {
    refuses: ({ tscKhz }) => {
      if (tscKhz === undefined) return false;
      const units = tscFrequencyOf(tscKhz);
      return units < tscFrequencyRange.min || units > tscFrequencyRange.max;
    },
    problems: ({ tscKhz = 0 }) => [
      `${tscKhz / 1000} MHz is outside the module's range of 100 MHz to 10 GHz`,
    ],
  },
  'mng-init.cpuid-config': {
    refuses: (facts) => refusedCpuid(facts) !== undefined,
    problems: (facts) => facts.cpuid.flatMap((choice) => cpuidProblems(choice, facts)),
  },
} as const satisfies Partial<Record<LeafCheckName<'TDH.MNG.INIT'>, Rule>>;

export type TdParamsRule = keyof typeof tdParamsRules;

export function isTdParamsRule(check: string): check is TdParamsRule {
  return Object.hasOwn(tdParamsRules, check);
}

/** The leaf that the module names in RCX. */
export function refusedCpuid(facts: TdParamsFacts): CpuidChoice | undefined {
  return facts.cpuid.find((choice) => cpuidProblems(choice, facts).length > 0);
}

const cpuModelMask = 0x0fff3fff;

function cpuidProblems(choice: CpuidChoice, facts: TdParamsFacts): string[] {
  const fixed = cpuidRegisters
    .map((register) => ({
      register,
      bits: (choice.chosen[register] & ~choice.configurable[register]) >>> 0,
    }))
    .filter(({ bits }) => bits !== 0)
    .map(
      ({ register, bits }) =>
        `leaf ${leafName(choice)} ${register.toUpperCase()} sets ${hex(bits)}, which is not configurable`,
    );
  return fixed.length === 0 && namesOtherCpu(choice, facts)
    ? ['leaf 0x1 EAX names another CPU model than this host has (0 takes its own)']
    : fixed;
}

/** A TD that may migrate names whatever model it likes. */
function namesOtherCpu(
  { leaf, chosen }: CpuidChoice,
  { attributes, limits: { cpuModel } }: TdParamsFacts,
): boolean {
  if (leaf !== 1 || chosen.eax === 0 || cpuModel === undefined) return false;
  if ((attributes & attributeMask.migratable) !== 0n) return false;
  return chosen.eax !== (cpuModel & cpuModelMask) >>> 0;
}

function beyond(mask: bigint, fixed0: bigint | undefined): bigint {
  return fixed0 === undefined ? 0n : mask & ~fixed0;
}

function notAllowed(name: string): string {
  return `\`${name}\` is not allowed by the TDX module of this host`;
}

function findingText({ name, explanation }: FeatureFinding): string {
  return `\`${name}\`: ${explanation}`;
}

function leafName({ leaf, subleaf }: CpuidChoice): string {
  return subleaf ? `${hex(leaf)}.${subleaf}` : hex(leaf);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
