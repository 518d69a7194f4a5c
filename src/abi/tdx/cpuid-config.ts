/**
 * CPUID leaves that TD_PARAMS may configure, by module release: a register bit that is 1 may be
 * chosen (directly configurable), or turned off where the CPU has it (directly allowable).
 * The order is that of CPUID_CONFIG_LEAVES and so of TD_PARAMS.CPUID_CONFIG.
 * Source: Intel TDX module, cpuid_configurations.c of 1.5.05 and 1.5.28.
 */
import { ADDRESS_SIZES_LEAF } from '../kvm/cpuid.ts';
import type { CpuidRegisters } from './td-params.ts';

export interface ConfigurableLeaf extends CpuidRegisters {
  readonly leaf: number;
  /** undefined: the leaf has no subleaves. */
  readonly subleaf: number | undefined;
}

type Registers = Partial<CpuidRegisters>;

function row(leaf: number, subleaf: number | undefined, registers: Registers): ConfigurableLeaf {
  return { leaf, subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0, ...registers };
}

function cache(subleaf: number, edx: number): ConfigurableLeaf {
  return row(0x4, subleaf, { eax: 0xffffc3ff, ebx: 0xfffff000, ecx: 0xffffffff, edx });
}

function topology(subleaf: number): ConfigurableLeaf {
  return row(0x1f, subleaf, { eax: 0x1f, ebx: 0xffff, ecx: 0xffff });
}

function tlb(subleaf: number): ConfigurableLeaf {
  return row(0x18, subleaf, { edx: 0x03ffc000 });
}

const topologyLevels = [0, 1, 2, 3, 4, 5].map(topology);

/** 1.5.05. The tables of 1.5.01 and 1.5.06 were not read. */
export const cpuidConfig1Dot5Dot05: readonly ConfigurableLeaf[] = [
  row(0x1, undefined, { eax: 0x0fff3fff, ebx: 0x00ff0000, ecx: 0x31044d88, edx: 0xb8440000 }),
  cache(0, 0xfffffffb),
  cache(1, 0xfffffffb),
  cache(2, 0xfffffffb),
  cache(3, 0x7),
  row(0x7, 0, { ebx: 0xdc2b9b18, ecx: 0x02417f65, edx: 0x0005411c }),
  row(0x7, 1, { eax: 0x04001d30, edx: 0x00000430 }),
  row(0xa, undefined, {}),
  row(0x1c, undefined, { eax: 0xff }),
  row(ADDRESS_SIZES_LEAF, undefined, { ebx: 0x200 }),
  row(0x7, 2, { edx: 0x28 }),
  row(0x23, 0, { eax: 0xf }),
  ...topologyLevels,
];

/** 1.5.28. The tables of 1.5.34 and 2.0 were not read. */
export const cpuidConfig1Dot5Dot28: readonly ConfigurableLeaf[] = [
  row(0x1, undefined, { eax: 0x0fff3fff, ebx: 0x00ff0000, ecx: 0x31044d88, edx: 0xb8445080 }),
  cache(0, 0x7),
  cache(1, 0x7),
  cache(2, 0x7),
  cache(3, 0x7),
  row(0x7, 0, { ebx: 0xdc2b9b18, ecx: 0x02417f65, edx: 0x4005411c }),
  row(0x7, 1, { eax: 0x04881db0, edx: 0x00024430 }),
  row(0xa, undefined, {}),
  row(0x1c, undefined, { eax: 0xff }),
  row(ADDRESS_SIZES_LEAF, undefined, { eax: 0xff, ebx: 0x200 }),
  row(0x7, 2, { edx: 0x28 }),
  row(0x23, 0, { eax: 0xf }),
  ...topologyLevels,
  row(0x19, undefined, {}),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(tlb),
];
