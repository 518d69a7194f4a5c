/**
 * How a TDX module virtualises CPUID for a TD, as data: a row says of every bit of a leaf whether it is
 * 0, is 1, is what TD_PARAMS chooses, may be turned off by TD_PARAMS, or (no mask has it) is the CPU's
 * own. What depends on XFAM, ATTRIBUTES and the rest of TD_PARAMS is calculated in td-cpuid.ts.
 * Source: cpuid_lookup and cpuid_configurable in cpuid_configurations.c of the TDX module.
 */
import { type CpuidRegisters, eachRegister, registersOf } from '../../cpuid/registers.ts';

export interface VirtualLeaf {
  readonly leaf: number;
  /** undefined: the leaf has no subleaves. */
  readonly subleaf: number | undefined;
  /** Bits that are 0, or that the CPU fills in when the guest asks. */
  readonly fixed0: CpuidRegisters;
  readonly fixed1: CpuidRegisters;
  /** Directly configurable: the bits are what TD_PARAMS says. */
  readonly direct: CpuidRegisters;
  /** Directly allowable: the CPU's bits, unless TD_PARAMS has 0 for them. */
  readonly allowed: CpuidRegisters;
  /** true: the guest gets a #VE for the leaf, and the host cannot read it. */
  readonly faults: boolean;
}

type Masks = Partial<Record<'fixed0' | 'fixed1' | 'direct' | 'allowed', Partial<CpuidRegisters>>>;

export function virtual(
  leaf: number,
  subleaf: number | undefined,
  { fixed0 = {}, fixed1 = {}, direct = {}, allowed = {} }: Masks = {},
): VirtualLeaf {
  return {
    leaf,
    subleaf,
    fixed0: registersOf(fixed0),
    fixed1: registersOf(fixed1),
    direct: registersOf(direct),
    allowed: registersOf(allowed),
    faults: false,
  };
}

/** The same on every CPU and for every TD. */
export function constant(
  leaf: number,
  subleaf: number | undefined,
  registers: Partial<CpuidRegisters> = {},
): VirtualLeaf {
  const fixed1 = registersOf(registers);
  const fixed0 = eachRegister((register) => ~fixed1[register]);
  return virtual(leaf, subleaf, { fixed0, fixed1 });
}

export function faulting(leaf: number, subleaf?: number): VirtualLeaf {
  return { ...virtual(leaf, subleaf), faults: true };
}

export interface CpuidVirtualisation {
  readonly leaves: readonly VirtualLeaf[];
  /** The rows that TD_PARAMS has a place for, in the order of CPUID_CONFIG_LEAVES. */
  readonly configurable: readonly VirtualLeaf[];
  /** Leaves without a row that read as 0, whatever the subleaf (CPUID_FIXED0_BITMAP). */
  readonly zero: ReadonlySet<number>;
}

type Place = readonly [leaf: number, subleaf?: number];

/** @param order leaf and subleaf of CPUID_CONFIG_LEAVES. */
export function virtualisation(
  leaves: readonly VirtualLeaf[],
  order: readonly Place[],
  zero: readonly number[] = [],
): CpuidVirtualisation {
  const byPlace = rowsByPlace(leaves);
  const configurable = order.map(([leaf, subleaf]) => {
    const row = byPlace.get(keyOf(leaf, subleaf));
    if (row === undefined) throw new Error(`no row for leaf ${leaf}, subleaf ${subleaf}`);
    return row;
  });
  return { leaves, configurable, zero: new Set(zero) };
}

/**
 * A release's rows: those of another one, with some in their place or behind them, and some left out. The
 * order stays: what a leaf depends on comes before it.
 */
export function changed(
  leaves: readonly VirtualLeaf[],
  rows: readonly VirtualLeaf[],
  without: readonly Place[] = [],
): readonly VirtualLeaf[] {
  const byPlace = rowsByPlace([...leaves, ...rows]);
  for (const [leaf, subleaf] of without) byPlace.delete(keyOf(leaf, subleaf));
  return [...byPlace.values()];
}

/** In the order of their places; of two for one place the latter. */
function rowsByPlace(rows: readonly VirtualLeaf[]): Map<string, VirtualLeaf> {
  return new Map(rows.map((row) => [keyOf(row.leaf, row.subleaf), row]));
}

function keyOf(leaf: number, subleaf: number | undefined): string {
  return `${leaf}.${subleaf}`;
}
