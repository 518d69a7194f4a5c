/**
 * MSRs that KVM only knows so that guests of every age and vendor get an answer: a constant to a read,
 * and writes that are dropped. Source: kvm_get_msr_common() and kvm_set_msr_common().
 */
import { msr } from '../../../../abi/kvm/msrs.ts';
import { constant, type RangeRule, writeOnly } from '../rule.ts';

const one = (first: number, rule: Omit<RangeRule, 'first'>): RangeRule => ({ first, ...rule });

export const legacyRules: readonly RangeRule[] = [
  ...[
    msr.IA32_P5_MC_ADDR,
    msr.IA32_P5_MC_TYPE,
    msr.IA32_PLATFORM_ID,
    msr.IA32_EBL_CR_POWERON,
    msr.IA32_PERF_CTL,
    msr.RAPL_POWER_UNIT,
    msr.PKG_ENERGY_STATUS,
    msr.DRAM_ENERGY_STATUS,
    msr.PP0_ENERGY_STATUS,
    msr.PP1_ENERGY_STATUS,
    msr.AMD64_SYSCFG,
    msr.K8_TSEG_ADDR,
    msr.K8_TSEG_MASK,
    msr.K8_INT_PENDING_MSG,
  ].map((index) => one(index, constant(0n, 'unsupported'))),
  { first: msr.IA32_LASTBRANCHFROMIP, last: msr.IA32_LASTINTTOIP, ...constant(0n, 'unsupported') },
  ...[
    msr.AMD64_NB_CFG,
    msr.VM_HSAVE_PA,
    msr.AMD64_DC_CFG,
    msr.AMD64_TW_CFG,
    msr.AMD64_BU_CFG2,
    msr.F15H_EX_CFG,
  ].map((index) => one(index, constant(0n, 'dropped'))),
  one(msr.FAM10H_MMIO_CONF_BASE, { ...constant(0n, 'dropped'), accepts: (data) => data === 0n }),
  // No Intel CPU has these counters: their writes are dropped as well.
  { first: msr.K7_EVNTSEL0, last: msr.K7_PERFCTR3, ...constant(0n, 'dropped') },

  ...[msr.IA32_UCODE_WRITE, msr.AMD64_PATCH_LOADER].map((index) =>
    one(index, { presence: writeOnly, keeps: () => undefined }),
  ),

  // A bus clock of 100 MHz, in two encodings.
  one(msr.FSB_FREQUENCY, constant(3n, 'unsupported')),
  one(msr.EBC_FREQUENCY_ID, constant(1n << 24n, 'unsupported')),
  // A clock multiplier of 4.
  one(msr.IA32_PERF_STATUS, constant((4n << 40n) | 1000n, 'unsupported')),
  one(msr.K7_CLK_CTL, constant(0x2000_0000n, 'dropped')),
  // An L2 cache of 256 KiB.
  one(msr.IA32_BBL_CR_CTL3, constant(0xbe70_2111n, 'dropped')),
];
