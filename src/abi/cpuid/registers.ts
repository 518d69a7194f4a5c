/** The four registers that a leaf of CPUID fills, 32 bits each. */
export interface CpuidRegisters {
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

export type CpuidRegister = keyof CpuidRegisters;

export const cpuidRegisters = ['eax', 'ebx', 'ecx', 'edx'] as const satisfies CpuidRegister[];

/** The registers that are given; the others are 0. */
export function registersOf(given: Partial<CpuidRegisters>): CpuidRegisters {
  const { eax = 0, ebx = 0, ecx = 0, edx = 0 } = given;
  return { eax: eax >>> 0, ebx: ebx >>> 0, ecx: ecx >>> 0, edx: edx >>> 0 };
}

export const allZero: CpuidRegisters = registersOf({});

/** What `value` makes of each register. */
export function eachRegister(value: (register: CpuidRegister) => number): CpuidRegisters {
  return registersOf({
    eax: value('eax'),
    ebx: value('ebx'),
    ecx: value('ecx'),
    edx: value('edx'),
  });
}

/** The mask that has these bits. */
export function bitsOf(...numbers: readonly number[]): number {
  return numbers.reduce((mask, number) => (mask | (1 << number)) >>> 0, 0);
}
