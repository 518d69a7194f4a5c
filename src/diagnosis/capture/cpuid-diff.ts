/** Compares the CPUID of two hosts, leaf by leaf, register by register. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { Difference } from './difference.ts';
import type { HostSummary } from './summary.ts';

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;

/** These leaves describe the host's own size, clock or topology; a TD is given others. */
const descriptive = new Set([
  0x2, 0x4, 0xb, 0x15, 0x16, 0x18, 0x1f, 0x8000_0002, 0x8000_0003, 0x8000_0004,
]);

export function cpuidDifferences(a: HostSummary, b: HostSummary): Difference[] {
  return [
    ...tables('cpuid.configurable', a.configurableCpuid, b.configurableCpuid, configurable),
    ...tables('cpuid', a.supportedCpuid, b.supportedCpuid, supported),
  ];
}

type Judge = (leaf: number, a: number, b: number) => Pick<Difference, 'effect' | 'meaning'>;

/** INIT_VM refuses a set bit that the module does not list as configurable. */
const configurable: Judge = (_, a, b) =>
  (a & ~b) !== 0
    ? { effect: 'blocks', meaning: `a TD that sets ${hex(a & ~b)} is refused by INIT_VM on B` }
    : { effect: 'info', meaning: `B lets ${hex(b & ~a)} be chosen too` };

const supported: Judge = (leaf, a, b) => {
  if (descriptive.has(leaf)) {
    return { effect: 'info', meaning: 'describes the host; a TD does not depend on it' };
  }
  return (a & ~b) !== 0
    ? {
        effect: 'changes',
        meaning: `the CPUs of B lack ${hex(a & ~b)}; software that found it on A may stop`,
      }
    : { effect: 'info', meaning: `the CPUs of B have ${hex(b & ~a)} too` };
};

function tables(
  field: string,
  a: readonly CpuidEntry[],
  b: readonly CpuidEntry[],
  judge: Judge,
): Difference[] {
  // A host that was not asked says nothing about its leaves.
  if (a.length === 0 || b.length === 0) return [];
  const right = new Map(b.map((entry) => [keyOf(entry), entry]));
  const left = new Map(a.map((entry) => [keyOf(entry), entry]));
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
    registers.flatMap((register) => {
      const [one, two] = [left.get(key), right.get(key)];
      const [x, y] = [one?.[register] ?? 0, two?.[register] ?? 0];
      if (x === y) return [];
      const leaf = (one ?? two)?.function ?? 0;
      return [{ field: `${field}.${key}.${register}`, a: hex(x), b: hex(y), ...judge(leaf, x, y) }];
    }),
  );
}

function keyOf({ function: leaf, index }: CpuidEntry): string {
  return index === 0 ? `0x${leaf.toString(16)}` : `0x${leaf.toString(16)}.${index}`;
}

const hex = (value: number) => `0x${(value >>> 0).toString(16)}`;
