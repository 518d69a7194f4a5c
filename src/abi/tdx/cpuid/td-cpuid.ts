/**
 * The CPUID of a TD: what TDH.SYS.CONFIG and TDH.MNG.INIT make of the CPU's own and of TD_PARAMS. It is
 * what the guest gets, what TDH.MNG.RD reads (CPUID_VALUES), and so what KVM_TDX_GET_CPUID shows.
 * Source: complete_cpuid_handling() and read_and_set_cpuid_configurations() of the TDX module.
 */
import { executeCpuid, type RawCpuid, rawXstate, xsaveAreaBytes } from '../../cpuid/raw.ts';
import { allZero, type CpuidRegisters, eachRegister, registersOf } from '../../cpuid/registers.ts';
import { ADDRESS_SIZES_LEAF, withGuestAddressBits } from '../../kvm/cpuid.ts';
import { attributeMask } from '../attributes.ts';
import { configFlags, type TdParams } from '../td-params.ts';
import { xcr0Of } from '../xfam.ts';
import { tdTopology } from './td-topology.ts';
import type { CpuidVirtualisation, VirtualLeaf } from './virtual-leaves.ts';
import { bitsWithoutXfam } from './xfam-features.ts';

/** A row with the registers of a TD. */
export interface TdLeaf extends CpuidRegisters {
  readonly leaf: number;
  readonly subleaf: number | undefined;
}

/** What the CPU has of a row, with the bits in place that are the same for all TDs. */
export function nativeLeaf({ leaf, subleaf, fixed0, fixed1 }: VirtualLeaf, cpu: RawCpuid) {
  const native = executeCpuid(cpu, leaf, subleaf ?? 0);
  return eachRegister((register) => (native[register] & ~fixed0[register]) | fixed1[register]);
}

/** Bits of a leaf that TD_PARAMS may have, as the global metadata CPUID_CONFIG_VALUES tells the host. */
export interface ConfigurableLeaf extends CpuidRegisters {
  readonly leaf: number;
  readonly subleaf: number | undefined;
}

export function configurableLeaves(
  { configurable }: CpuidVirtualisation,
  cpu: RawCpuid,
): readonly ConfigurableLeaf[] {
  return configurable.map((row) => {
    const native = nativeLeaf(row, cpu);
    const bits = eachRegister(
      (register) => row.direct[register] | (row.allowed[register] & native[register]),
    );
    return { leaf: row.leaf, subleaf: row.subleaf, ...bits };
  });
}

/** The part of TD_PARAMS that the CPUID of a TD depends on. */
export type CpuidParams = Pick<
  TdParams,
  'attributes' | 'xfam' | 'configFlags' | 'tscFrequency' | 'cpuidConfig'
>;

interface Ground {
  readonly virtualisation: CpuidVirtualisation;
  readonly cpu: RawCpuid;
  readonly params: CpuidParams;
}

/**
 * The rows of a TD whose TD_PARAMS are right but perhaps for the topology.
 *
 * @returns undefined where the module does not recognise the topology.
 */
export function tdLeaves(ground: Ground): readonly TdLeaf[] | undefined {
  const leaves = leavesWithoutTopology(ground);
  const { virtualisation, cpu } = ground;
  if (!virtualisation.configurable.some(({ leaf }) => leaf === 0x1f)) return leaves;
  const native = virtualisation.leaves
    .filter(({ leaf }) => leaf === 0x1f)
    .map((row) => nativeLeaf(row, cpu));
  const topology = tdTopology(
    leaves.filter(({ leaf }) => leaf === 0x1f),
    native,
  );
  if (topology === undefined) return undefined;
  const legacy = virtualisation.leaves.filter(({ leaf }) => leaf === 0xb);
  return leaves.map(({ leaf, subleaf, ...registers }) => {
    if (leaf === 0x1f)
      return { leaf, subleaf, ...registersOf(topology.levels[subleaf ?? 0] ?? {}) };
    if (leaf !== 0xb) return { leaf, subleaf, ...registers };
    const level = topology.legacyLevels[subleaf ?? 0] ?? allZero;
    const { fixed0 = allZero } = legacy[subleaf ?? 0] ?? {};
    return { leaf, subleaf, ...eachRegister((register) => level[register] & ~fixed0[register]) };
  });
}

function leavesWithoutTopology({ virtualisation, cpu, params }: Ground): TdLeaf[] {
  const { leaves, configurable } = virtualisation;
  const place = new Map(configurable.map((row, i) => [row, i]));
  const chosen = (row: VirtualLeaf) => params.cpuidConfig[place.get(row) ?? -1];
  const done: TdLeaf[] = [];
  const flags: Flags = { monitor: false, la57: false, perfmonExt: false };
  for (const row of leaves) {
    if (row.faults) continue;
    const native = nativeLeaf(row, cpu);
    const configured = place.has(row) ? configure(row, native, chosen(row) ?? allZero) : native;
    const registers = calculate({ row, registers: configured, flags, cpu, params });
    done.push({ leaf: row.leaf, subleaf: row.subleaf, ...registers });
  }
  return done;
}

function configure(
  { direct, allowed }: VirtualLeaf,
  native: CpuidRegisters,
  chosen: CpuidRegisters,
): CpuidRegisters {
  return eachRegister((register) => {
    const bits = (native[register] & ~direct[register]) | (chosen[register] & direct[register]);
    return bits & (chosen[register] | ~allowed[register]);
  });
}

/** What later leaves look at, and earlier ones tell. */
interface Flags {
  monitor: boolean;
  la57: boolean;
  perfmonExt: boolean;
}

interface Calculation {
  readonly row: VirtualLeaf;
  readonly registers: CpuidRegisters;
  readonly flags: Flags;
  readonly cpu: RawCpuid;
  readonly params: CpuidParams;
}

const bit = (value: number, number: number) => ((value >>> number) & 1) === 1;
const has = (mask: bigint, number: number) => ((mask >> BigInt(number)) & 1n) === 1n;
const when = (condition: boolean, registers: CpuidRegisters) => (condition ? registers : allZero);

/** Leaves that depend on more of TD_PARAMS than CPUID_CONFIG, in the module's words ALLOW_x and CALC. */
const calculations: Readonly<Record<number, (calculation: Calculation) => CpuidRegisters>> = {
  1: ({ registers, flags, cpu, params }) => {
    flags.monitor = bit(registers.ecx, 3);
    // 0 stands for the CPU's own model.
    const eax = registers.eax === 0 ? executeCpuid(cpu, 1).eax & 0x0fff_3fff : registers.eax;
    const ecx = registers.ecx & ~bitsWithoutXfam({ leaf: 1, register: 'ecx' }, params.xfam);
    return { ...registers, eax, ecx: ecx >>> 0 };
  },
  5: ({ registers, flags }) => when(flags.monitor, registers),
  7: ({ row, registers, flags, params }) => {
    const { leaf, subleaf } = row;
    const visible = eachRegister(
      (register) =>
        registers[register] & ~bitsWithoutXfam({ leaf, subleaf, register }, params.xfam),
    );
    if (subleaf === 0) {
      flags.la57 = bit(visible.ecx, 16);
      // Key Locker is shown to no TD, and PKS to one that has the attribute.
      const ecx = withBit(withBit(visible.ecx, 23, false), 31, hasAttribute(params, 'pks'));
      return { ...visible, ecx };
    }
    if (subleaf !== 1) return visible;
    flags.perfmonExt = bit(visible.eax, 8);
    return { ...visible, eax: withBit(visible.eax, 6, hasAttribute(params, 'lass')) };
  },
  10: ({ registers, params }) => when(hasAttribute(params, 'perfmon'), registers),
  13: ({ row: { subleaf = 0 }, registers, cpu, params: { xfam } }) => {
    if (subleaf > 1) return when(has(xfam, subleaf), registers);
    if (subleaf === 0) {
      const eax = (registers.eax & Number(xfam & 0xffff_ffffn)) >>> 0;
      return { ...registers, eax, ecx: xsaveAreaBytes(cpu, xcr0Of(xfam), 'standard') };
    }
    const ecx = (registers.ecx & Number(xfam & 0xffff_ffffn)) >>> 0;
    return { ...registers, eax: withBit(registers.eax, 4, hasXfd(cpu, xfam)), ecx };
  },
  20: ({ registers, params }) => when(has(params.xfam, 8), registers),
  21: ({ registers, params }) => ({ ...registers, ebx: params.tscFrequency }),
  25: () => allZero,
  26: ({ registers, params }) => when(!hasAttribute(params, 'migratable'), registers),
  28: ({ registers, params }) => when(has(params.xfam, 15), registers),
  29: ({ registers, params }) => when(has(params.xfam, 17) && has(params.xfam, 18), registers),
  35: ({ registers, flags, params }) =>
    when(hasAttribute(params, 'perfmon') && flags.perfmonExt, registers),
  [ADDRESS_SIZES_LEAF]: ({ registers, flags, cpu, params }) => {
    const linear = flags.la57 ? 57 : 48;
    const { physical, guest } = addressBits(registers.eax & 0xff, cpu, params);
    const eax = withGuestAddressBits((linear << 8) | physical, guest);
    return { ...registers, eax };
  },
};

function calculate(calculation: Calculation): CpuidRegisters {
  const { row, registers } = calculation;
  return calculations[row.leaf]?.(calculation) ?? registers;
}

/** The CPU can fault on first use of a component that the TD has. */
function hasXfd(cpu: RawCpuid, xfam: bigint): boolean {
  const { xcr0 } = rawXstate(cpu);
  const hasIt = bit(executeCpuid(cpu, 0xd, 1).eax, 4);
  const faulting = Array.from({ length: 17 }, (_, i) => i + 2).filter((component) =>
    bit(executeCpuid(cpu, 0xd, component).ecx, 2),
  );
  return hasIt && faulting.some((component) => has(xcr0 & xfam, component));
}

/** `chosen` is 0 for the least of what the CPU has and of what GPAW gives. */
function addressBits(chosen: number, cpu: RawCpuid, { configFlags: flags }: CpuidParams) {
  const native = executeCpuid(cpu, ADDRESS_SIZES_LEAF).eax & 0xff;
  const width = Math.min(native, (flags & configFlags.GPAW) === 0n ? 48 : 52);
  if ((flags & configFlags.MAXGPA_VIRT) !== 0n) return { physical: native, guest: width };
  if ((flags & configFlags.MAXPA_VIRT) !== 0n) return { physical: chosen || width, guest: 0 };
  return { physical: native, guest: 0 };
}

function hasAttribute({ attributes }: CpuidParams, name: keyof typeof attributeMask): boolean {
  return (attributes & attributeMask[name]) !== 0n;
}

function withBit(value: number, number: number, isSet: boolean): number {
  return (isSet ? value | (1 << number) : value & ~(1 << number)) >>> 0;
}
