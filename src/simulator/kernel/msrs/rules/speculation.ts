/** Controls of speculation and of transactional memory: vmx_set_msr(), kvm_set_msr_common(). */

import { msr } from '../../../../abi/kvm/msrs.ts';
import type { CpuFeature } from '../../cpuid/cpu-features.ts';
import type { Kernel } from '../../kernel.ts';
import { kvmHas } from '../../vcpu/guest-cpu-caps.ts';
import { onlyBits, type RangeRule, writeOnly } from '../rule.ts';

/** What a CPU lets be written to IA32_SPEC_CTRL (Intel SDM vol. 4, table 2-2), which KVM tries out. */
const specCtrlBits: readonly { readonly bits: bigint; readonly feature: CpuFeature }[] = [
  { bits: 1n << 0n, feature: 'SPEC_CTRL' },
  { bits: 1n << 1n, feature: 'INTEL_STIBP' },
  { bits: 1n << 2n, feature: 'SPEC_CTRL_SSBD' },
  { bits: 0b11n << 3n, feature: 'IPRED_CTRL' },
  { bits: 0b11n << 5n, feature: 'RRSBA_CTRL' },
  { bits: 1n << 7n, feature: 'INTEL_PSFD' },
  { bits: 1n << 8n, feature: 'DDPD_U' },
  { bits: 1n << 10n, feature: 'BHI_CTRL' },
];

function specCtrl(kernel: Kernel): bigint {
  return specCtrlBits
    .filter(({ feature }) => kvmHas(kernel, feature))
    .reduce((mask, { bits }) => mask | bits, 0n);
}

const IBPB = 1n;
const L1D_FLUSH = 1n;

export const speculationRules: readonly RangeRule[] = [
  {
    first: msr.IA32_SPEC_CTRL,
    accepts: (data, { kernel }) => (data & ~specCtrl(kernel)) === 0n,
  },
  {
    first: msr.IA32_TSX_CTRL,
    presence: ({ kernel }) => (kernel.msrs.hasTsxCtrl ? 'there' : 'unsupported'),
    // RTM_DISABLE and CPUID_CLEAR.
    accepts: onlyBits(0b11n),
  },
  // Commands are carried out and not kept.
  {
    first: msr.IA32_PRED_CMD,
    presence: writeOnly,
    accepts: (data, { kernel }) => (data & ~(kvmHas(kernel, 'SPEC_CTRL') ? IBPB : 0n)) === 0n,
    keeps: () => undefined,
  },
  {
    first: msr.IA32_FLUSH_CMD,
    presence: writeOnly,
    accepts: (data, { kernel }) => kvmHas(kernel, 'FLUSH_L1D') && (data & ~L1D_FLUSH) === 0n,
    keeps: () => undefined,
  },
];
