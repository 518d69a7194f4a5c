/**
 * CPUID of TDs by release of the TDX module. Source: cpuid_configurations.c of 1.5.01, 1.5.05, 1.5.06,
 * 1.5.28 and 2.0.08. A row of a later release stands with it, the others are those of 1.5.05.
 */
import { ADDRESS_SIZES_LEAF } from '../../kvm/cpuid.ts';
import {
  changed,
  constant,
  faulting,
  type VirtualLeaf,
  virtual,
  virtualisation,
} from './virtual-leaves.ts';

const all = 0xffff_ffff;

function cache(subleaf: number, edx: { fixed0: number; direct: number }): VirtualLeaf {
  return virtual(0x4, subleaf, {
    fixed0: { eax: 0x3c00, edx: edx.fixed0 },
    direct: { eax: 0xffff_c3ff, ebx: 0xffff_f000, ecx: all, edx: edx.direct },
  });
}

function topology(subleaf: number): VirtualLeaf {
  return virtual(0x1f, subleaf, {
    fixed0: { eax: 0xffff_ffe0, ebx: 0xffff_0000, ecx: 0xffff_0000, edx: all },
    direct: { eax: 0x1f, ebx: 0xffff, ecx: 0xffff },
  });
}

/** Calculated from leaf 0x1f. `lastEcx`: what subleaf 2 does not show of its number. */
function legacyTopology(lastEcx: number): VirtualLeaf[] {
  return [
    ...[0, 1].map((level) =>
      virtual(0xb, level, {
        fixed0: { eax: 0xffff_ffe0, ebx: 0xffff_0000, ecx: 0xffff_0000, edx: all },
      }),
    ),
    virtual(0xb, 2, { fixed0: { eax: all, ebx: all, ecx: lastEcx, edx: all } }),
  ];
}

const subleaves = (count: number) => Array.from({ length: count }, (_, i) => i);
const topologyLevels = subleaves(6);
/** Components of extended state: bits 2 to 18 of XFAM. */
const components = subleaves(17).map((i) => i + 2);

const cpuModel = { eax: 0x0fff_3fff, ebx: 0x00ff_0000 };
const leaf1 = {
  // HYPERVISOR; APIC
  fixed1: { ecx: 0x8000_0000, edx: 0x200 },
  // VMX, SMX, OSXSAVE; PSE36
  fixed0: { eax: 0xf000_c000, ebx: 0xff00_00ff, ecx: 0x0801_0060, edx: 0x4012_0400 },
  direct: cpuModel,
};
const features = {
  // TSC_ADJUST, SGX; OSPKE, ENQCMD, SGX_LC; SGX_KEYS
  fixed0: { ebx: 0x0040_4006, ecx: 0x643e_8010, edx: 0x0022_98c3 },
  allowed: { ebx: 0xdc2b_9b18, ecx: 0x0241_7f65, edx: 0x0005_411c },
};
const moreFeatures = (
  fixed0: { eax: number; edx: number },
  allowed: { eax: number; edx: number },
) => virtual(0x7, 1, { fixed0: { ...fixed0, ebx: all, ecx: all }, allowed });

const leaves1Dot5Dot05: readonly VirtualLeaf[] = [
  constant(0x0, undefined, { eax: 0x23, ebx: 0x756e_6547, ecx: 0x6c65_746e, edx: 0x4965_6e69 }),
  virtual(0x1, undefined, { ...leaf1, allowed: { ecx: 0x3104_4d88, edx: 0xb844_0000 } }),
  constant(0x3, undefined),
  cache(0, { fixed0: 0x4, direct: 0xffff_fffb }),
  cache(1, { fixed0: 0x4, direct: 0xffff_fffb }),
  cache(2, { fixed0: 0x4, direct: 0xffff_fffb }),
  cache(3, { fixed0: 0xffff_fff8, direct: 0x7 }),
  constant(0x4, 4),
  virtual(0x5, undefined, { fixed0: { eax: 0xffff_0000, ebx: 0xffff_0000, ecx: 0xffff_fffc } }),
  faulting(0x6),
  virtual(0x7, 0, features),
  moreFeatures({ eax: 0xfbff_e28f, edx: 0xffff_fbcf }, { eax: 0x0400_1d30, edx: 0x430 }),
  virtual(0x7, 2, {
    fixed0: { eax: all, ebx: all, ecx: all, edx: 0xffff_ffc0 },
    allowed: { edx: 0x28 },
  }),
  constant(0x8, undefined),
  virtual(0xa, undefined, { fixed0: { edx: 0xffff_6000 } }),
  ...legacyTopology(all),
  virtual(0xd, 0, { fixed0: { eax: 0xfff9_fd18, ebx: all, edx: all } }),
  virtual(0xd, 1, { fixed0: { eax: 0xffff_ffe0, ebx: all, ecx: 0xffff_26ff, edx: all } }),
  ...components.map((component) => virtual(0xd, component, { fixed0: { edx: all } })),
  constant(0xe, undefined),
  constant(0x11, undefined),
  constant(0x12, undefined),
  constant(0x13, undefined),
  virtual(0x14, 0, { fixed0: { ebx: 0xffff_fe00, ecx: 0x7fff_fff0, edx: all } }),
  virtual(0x14, 1, { fixed0: { eax: 0xfff8, ecx: all, edx: all } }),
  constant(0x15, undefined, { eax: 1, ecx: 25_000_000 }),
  constant(0x19, undefined),
  virtual(0x1a, undefined, { fixed0: { ebx: all, ecx: all, edx: all } }),
  virtual(0x1c, undefined, { allowed: { eax: 0xff } }),
  virtual(0x1d, 0),
  virtual(0x1d, 1),
  virtual(0x1e, undefined),
  ...topologyLevels.map(topology),
  constant(0x20, undefined),
  // "IntelTDX    "
  constant(0x21, 0, { ebx: 0x6574_6e49, ecx: 0x2020_2020, edx: 0x5844_546c }),
  constant(0x22, undefined),
  virtual(0x23, 0, { fixed0: { eax: 0xffff_fff0, ecx: all, edx: all }, allowed: { eax: 0xf } }),
  virtual(0x23, 1, { fixed0: { ecx: all, edx: all } }),
  constant(0x23, 2),
  virtual(0x23, 3, { fixed0: { ebx: all, ecx: all, edx: all } }),
  constant(0x8000_0000, undefined, { eax: ADDRESS_SIZES_LEAF }),
  virtual(0x8000_0001, undefined, {
    fixed0: { eax: all, ebx: all, ecx: 0xffff_fede, edx: 0xd3ef_ffff },
  }),
  faulting(0x8000_0006),
  virtual(0x8000_0007, undefined, { fixed0: { eax: all, ebx: all, ecx: all, edx: 0xffff_feff } }),
  virtual(ADDRESS_SIZES_LEAF, undefined, {
    fixed0: { eax: 0xffff_0000, ebx: 0xffff_fdff, ecx: all, edx: all },
    allowed: { ebx: 0x200 },
  }),
];

const firstConfigurable = [
  [0x1],
  [0x4, 0],
  [0x4, 1],
  [0x4, 2],
  [0x4, 3],
  [0x7, 0],
  [0x7, 1],
  [0xa],
  [0x1c],
  [ADDRESS_SIZES_LEAF],
  [0x7, 2],
  [0x23, 0],
] as const;
const withTopology = [
  ...firstConfigurable,
  ...topologyLevels.map((level) => [0x1f, level] as const),
];

export const cpuid1Dot5Dot05 = virtualisation(leaves1Dot5Dot05, withTopology);

export const cpuid1Dot5Dot01 = virtualisation(
  changed(
    leaves1Dot5Dot05,
    [
      moreFeatures({ eax: 0xffff_e2cf, edx: all }, { eax: 0x1d30, edx: 0 }),
      ...topologyLevels.map((level) => faulting(0x1f, level)),
    ],
    [[0xb, 0], [0xb, 1], [0xb, 2], [0x1a]],
  ),
  firstConfigurable,
);

const leaves1Dot5Dot06 = changed(leaves1Dot5Dot05, [
  constant(0x2, undefined, { eax: 0x00fe_ff01 }),
  ...legacyTopology(0xffff_ff00),
  moreFeatures({ eax: 0xfb77_e20f, edx: 0xfffd_fbcf }, { eax: 0x0488_1db0, edx: 0x2_0430 }),
  virtual(ADDRESS_SIZES_LEAF, undefined, {
    fixed0: { eax: 0xffff_0000, ebx: 0xffff_fdff, ecx: all, edx: all },
    direct: { eax: 0xff },
    allowed: { ebx: 0x200 },
  }),
]);

export const cpuid1Dot5Dot06 = virtualisation(leaves1Dot5Dot06, withTopology);

const leaves1Dot5Dot28 = changed(leaves1Dot5Dot06, [
  // MCE, MTRR and MCA, and below CORE_CAPABILITIES, may be turned off since guests get fewer #VE.
  virtual(0x1, undefined, { ...leaf1, allowed: { ecx: 0x3104_4d88, edx: 0xb844_5080 } }),
  ...subleaves(4).map((level) => cache(level, { fixed0: 0xffff_fff8, direct: 0x7 })),
  constant(0x6, undefined, { eax: 0x4 }),
  virtual(0x7, 0, { ...features, allowed: { ...features.allowed, edx: 0x4005_411c } }),
  moreFeatures({ eax: 0xfb77_e20f, edx: 0xfffd_bbcf }, { eax: 0x0488_1db0, edx: 0x2_4430 }),
  ...subleaves(9).map((tlb) => virtual(0x18, tlb, { direct: { edx: 0x03ff_c000 } })),
  // "Intel TDX   "
  constant(0x8000_0002, undefined, { eax: 0x6574_6e49, ebx: 0x4454_206c, ecx: 0x2020_2058 }),
  virtual(0x8000_0006, undefined, {
    fixed0: { eax: all, ebx: all, ecx: 0x8fbf, edx: all },
    fixed1: { ecx: 0x7040 },
  }),
  virtual(ADDRESS_SIZES_LEAF, undefined, {
    fixed0: { ebx: 0xffff_fdff, ecx: all, edx: all },
    direct: { eax: 0xff },
    allowed: { ebx: 0x200 },
  }),
]);
const configurable1Dot5Dot28 = [
  ...withTopology,
  [0x19],
  ...subleaves(9).map((tlb) => [0x18, tlb] as const),
] as const;
const zero1Dot5Dot28 = [
  0x3, 0x8, 0x9, 0xc, 0xe, 0xf, 0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x1b, 0x20, 0x22, 0x8000_0003,
  0x8000_0004, 0x8000_0005,
];

export const cpuid1Dot5Dot28 = virtualisation(
  leaves1Dot5Dot28,
  configurable1Dot5Dot28,
  zero1Dot5Dot28,
);

export const cpuid2Dot0Dot08 = virtualisation(
  changed(leaves1Dot5Dot28, [
    moreFeatures({ eax: 0xfb57_e200, edx: 0xfffd_bbcf }, { eax: 0x04a8_1dbf, edx: 0x2_4430 }),
    constant(0x8000_0002, undefined, { eax: 0x6574_6e49, ebx: 0x5820_4454, ecx: 0x6c20_2020 }),
  ]),
  configurable1Dot5Dot28,
  zero1Dot5Dot28,
);
