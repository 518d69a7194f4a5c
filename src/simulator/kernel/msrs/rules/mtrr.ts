/** Memory types: the PAT, and the ranges of arch/x86/kvm/mtrr.c. */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { isLegalGpa } from '../../vcpu/cpuid.ts';
import { constant, type RangeRule } from '../rule.ts';

/** UC, WC, WT, WP and WB. */
const rangeTypes: readonly bigint[] = [0n, 1n, 4n, 5n, 6n];
/** The page attribute table has UC- besides. */
const pageTypes: readonly bigint[] = [...rangeTypes, 7n];

const typeOf = (data: bigint) => data & 0xffn;
const isRangeType = (data: bigint) => rangeTypes.includes(typeOf(data));
const areAll = (types: readonly bigint[]) => (data: bigint) =>
  Array.from({ length: 8 }, (_, i) => typeOf(data >> BigInt(8 * i))).every((type) =>
    types.includes(type),
  );

const fixedRange = (first: number, last: number): RangeRule => ({
  first,
  last,
  accepts: areAll(rangeTypes),
});

export const mtrrRules: readonly RangeRule[] = [
  { first: msr.IA32_CR_PAT, reset: 0x0007_0406_0007_0406n, accepts: areAll(pageTypes) },
  // Eight variable ranges, fixed ranges, write combining.
  { first: msr.MTRRcap, ...constant(0x508n, 'unsupported') },
  {
    first: msr.MTRRphysBase0,
    last: msr.MTRRphysMask7,
    // An even index is a base and has a type; an odd one is a mask.
    accepts: (data, { vcpu, index }) =>
      isLegalGpa(vcpu, data) &&
      (index % 2 === 0 ? isRangeType(data) && (data & 0xf00n) === 0n : (data & 0x7ffn) === 0n),
  },
  // Of the indices in between, none is there.
  {
    first: msr.MTRRphysMask7 + 1,
    last: msr.MTRRfix64K_00000 - 1,
    presence: () => 'refused',
  },
  fixedRange(msr.MTRRfix64K_00000, msr.MTRRfix64K_00000),
  fixedRange(msr.MTRRfix16K_80000, msr.MTRRfix16K_A0000),
  fixedRange(msr.MTRRfix4K_C0000, msr.MTRRfix4K_F8000),
  { first: msr.MTRRdefType, accepts: (data) => (data & ~0xcffn) === 0n && isRangeType(data) },
];
