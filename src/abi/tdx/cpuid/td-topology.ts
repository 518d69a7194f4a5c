/**
 * The CPU topology of a TD: leaf 0x1f is what TD_PARAMS says, or the CPU's own where it says nothing, and
 * leaf 0xb follows from it. Source: check_cpuid_1f_and_compute_cpuid_0b() of the TDX module.
 */
import { allZero, type CpuidRegisters, cpuidRegisters } from '../../cpuid/registers.ts';

const levelTypes = { invalid: 0, smt: 1, core: 2, max: 6 } as const;

const typeOf = ({ ecx }: CpuidRegisters) => (ecx >>> 8) & 0xff;
const numberOf = ({ ecx }: CpuidRegisters) => ecx & 0xff;
const isZero = (level: CpuidRegisters) => cpuidRegisters.every((register) => level[register] === 0);

export interface TdTopology {
  /** Leaf 0x1f, subleaf by subleaf. */
  readonly levels: readonly CpuidRegisters[];
  /** Leaf 0xb: threads and cores only, or cores only. */
  readonly legacyLevels: readonly CpuidRegisters[];
}

/** @returns undefined where the module does not recognise the form. */
export function tdTopology(
  configured: readonly CpuidRegisters[],
  native: readonly CpuidRegisters[],
): TdTopology | undefined {
  const [first = allZero, ...others] = configured;
  const isNull = isZero(first);
  if (isNull && !others.every(isZero)) return undefined;
  const levels = isNull ? native : configured;
  if (!isRecognised(levels)) return undefined;
  return { levels, legacyLevels: legacyLevels(levels) };
}

/** Types go up, numbers count up, threads come first, and cores come before the end. */
function isRecognised(levels: readonly CpuidRegisters[]): boolean {
  let before: number = levelTypes.invalid;
  let hasCores = false;
  for (const [subleaf, level] of levels.entries()) {
    const type = typeOf(level);
    if (type === levelTypes.invalid) {
      if (subleaf === 0 || !hasCores) return false;
    } else {
      if (type <= before || type >= levelTypes.max || numberOf(level) !== subleaf) return false;
      if (type === levelTypes.smt && subleaf !== 0) return false;
      if (type === levelTypes.core) hasCores = true;
    }
    before = type;
  }
  return true;
}

/** The level of the cores stands for all that are above it. */
function legacyLevels(levels: readonly CpuidRegisters[]): CpuidRegisters[] {
  const [first = allZero] = levels;
  const threads = typeOf(first) === levelTypes.smt ? [first] : [];
  const last = levels.findLast((level) => typeOf(level) !== levelTypes.invalid) ?? allZero;
  const cores = { ...last, ecx: threads.length | (levelTypes.core << 8) };
  const used = [...threads, cores];
  const unused = [0, 1, 2].slice(used.length).map((number) => ({ ...allZero, ecx: number }));
  return [...used, ...unused];
}
