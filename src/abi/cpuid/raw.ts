/**
 * What the CPUID instruction answers on a CPU, before any hypervisor has a say. It is a type of its own:
 * what KVM offers a guest (`CpuidEntry`) is derived from it and is never the same.
 */
import { allZero, type CpuidRegisters, registersOf } from './registers.ts';

export interface RawLeaf extends CpuidRegisters {
  readonly leaf: number;
  /** undefined: ECX makes no difference to this leaf. */
  readonly subleaf: number | undefined;
}

/** Leaves that are left out are 0. */
export type RawCpuid = readonly RawLeaf[];

type Registers = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** One row of a record. */
export function raw(leaf: number, subleaf: number | undefined, registers: Registers): RawLeaf {
  const [eax, ebx, ecx, edx] = registers;
  return { leaf, subleaf, ...registersOf({ eax, ebx, ecx, edx }) };
}

/** What the instruction gives for EAX = `leaf` and ECX = `subleaf`. */
export function executeCpuid(cpu: RawCpuid, leaf: number, subleaf = 0): CpuidRegisters {
  return cpu.find((row) => row.leaf === leaf && (row.subleaf ?? subleaf) === subleaf) ?? allZero;
}

/** The record with some rows in the place of those of the same leaf and subleaf, or behind them. */
export function withRows(cpu: RawCpuid, rows: RawCpuid): RawCpuid {
  const isSame = (one: RawLeaf, other: RawLeaf) =>
    one.leaf === other.leaf && one.subleaf === other.subleaf;
  const kept = cpu.map((row) => rows.find((other) => isSame(row, other)) ?? row);
  const added = rows.filter((row) => !cpu.some((other) => isSame(row, other)));
  return [...kept, ...added];
}

/** Components of extended state that the CPU has: XCR0 | IA32_XSS (leaf 0xd, SDM vol. 1, section 13.2). */
export function rawXstate(cpu: RawCpuid): { readonly xcr0: bigint; readonly xss: bigint } {
  const [user, supervisor] = [executeCpuid(cpu, 0xd, 0), executeCpuid(cpu, 0xd, 1)];
  return { xcr0: quad(user.edx, user.eax), xss: quad(supervisor.edx, supervisor.ecx) };
}

function quad(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Bytes before the first component that has a place of its own: the legacy region and the header. */
const xsaveHeaderEnd = 576;

/**
 * Bytes that the components need in an XSAVE area, as CPUID(0xd) reports them: each at its own offset, or
 * one behind the other in the compacted form (SDM vol. 1, section 13.4).
 */
export function xsaveAreaBytes(
  cpu: RawCpuid,
  components: bigint,
  form: 'standard' | 'compacted',
): number {
  let end = xsaveHeaderEnd;
  for (let component = 2; component < 63; component++) {
    if (((components >> BigInt(component)) & 1n) === 0n) continue;
    const { eax: size, ebx: offset, ecx: flags } = executeCpuid(cpu, 0xd, component);
    const isAligned = (flags & 2) !== 0;
    const behind = isAligned ? Math.ceil(end / 64) * 64 : end;
    end = Math.max(end, (form === 'standard' ? offset : behind) + size);
  }
  return end;
}
