/**
 * The features that KVM gives a guest: those of the CPU that the kernel uses and KVM knows, those that KVM
 * emulates, and a few that depend on more than the bit.
 * Source: kvm_initialize_cpu_caps() in arch/x86/kvm/cpuid.c, vmx_set_cpu_caps() in vmx/vmx.c and
 * kvm_setup_xss_caps() in x86.c, Linux 7.3, with KVM's parameters as they are by default: nested, EPT,
 * PMU without mediation, PT of the host.
 */
import { executeCpuid, rawXstate } from '../../../abi/cpuid/raw.ts';
import { kvmXstate } from '../../../abi/kvm/xstate.ts';
import { archCapabilities } from '../../profiles/msrs/features.ts';
import {
  type FeatureName,
  type FeatureWord,
  type FeatureWordName,
  featureWords,
  placeOf,
} from './feature-words.ts';
import { type HostCpu, keptFor } from './kept.ts';

export class CpuCaps {
  readonly #words = new Map<FeatureWordName, number>();

  word(name: FeatureWordName): number {
    return this.#words.get(name) ?? 0;
  }

  has(name: FeatureName): boolean {
    const { word, bit } = placeOf(name);
    return ((this.word(word) >>> bit) & 1) === 1;
  }

  start(name: FeatureWordName, bits: number): void {
    this.#words.set(name, bits >>> 0);
  }

  set(name: FeatureName, isSet = true): void {
    const { word, bit } = placeOf(name);
    const others = this.word(word) & ~(1 << bit);
    this.start(word, isSet ? others | (1 << bit) : others);
  }

  clear(...names: readonly FeatureName[]): void {
    for (const name of names) this.set(name, false);
  }
}

export interface Supported {
  readonly caps: CpuCaps;
  /** XCR0 that a guest may have. */
  readonly xcr0: bigint;
  /** IA32_XSS that a guest may have. */
  readonly xss: bigint;
}

export const supportedFeatures = keptFor(derive);

function derive(platform: HostCpu): Supported {
  const { cpuid: cpu } = platform;
  const caps = new CpuCaps();
  for (const [name, word] of Object.entries<FeatureWord>(featureWords)) {
    caps.start(name as FeatureWordName, startOf(word, platform));
  }
  const native = rawXstate(cpu);
  const xcr0 = native.xcr0 & kvmXstate.xcr0;
  adjustForKernel(caps, platform);
  adjustForVmx(caps, platform, xcr0);
  return { caps, xcr0, xss: supportedXss(caps, native.xss & kvmXstate.xss) };
}

/** The CPU's bits that KVM knows, and those that it emulates. */
function startOf(
  { leaf, subleaf, register, features, emulated = [] }: FeatureWord,
  platform: HostCpu,
) {
  const known = maskOf(Object.values(features));
  const { [register]: raw } = executeCpuid(platform.cpuid, leaf, subleaf);
  return (known & raw) | maskOf(emulated.map((name) => features[name] ?? 0));
}

function maskOf(bits: readonly number[]): number {
  return bits.reduce((mask, bit) => mask | (1 << bit), 0);
}

const EIBRS_PBRSB_NO = 1n << 24n;
const SSB_NO = 1n << 4n;

/** Features that the kernel switches off, and others that it knows by those of Intel. */
function adjustForKernel(caps: CpuCaps, { cpuid: cpu }: HostCpu): void {
  const has = (leaf: number, register: 'eax' | 'ecx' | 'edx', bit: number) =>
    ((executeCpuid(cpu, leaf)[register] >>> bit) & 1) === 1;
  // SGX is there when the BIOS has switched it on, which leaf 0x12 shows.
  if (!has(0x12, 'eax', 0)) caps.clear('SGX', 'SGX_LC', 'SGX1', 'SGX2', 'SGX_EDECCSSA');
  const usesProtectionKeys = has(7, 'ecx', 4);
  if (!usesProtectionKeys) caps.clear('PKU');

  const arch = archCapabilities;
  if (caps.has('SPEC_CTRL')) {
    caps.set('AMD_IBPB');
    caps.set('AMD_IBRS');
    if ((arch & EIBRS_PBRSB_NO) !== 0n) caps.set('AMD_IBPB_RET');
  }
  if (caps.has('INTEL_STIBP')) caps.set('AMD_STIBP');
  if (caps.has('SPEC_CTRL_SSBD')) caps.set('AMD_SSBD');
  if ((arch & SSB_NO) !== 0n) caps.set('AMD_SSB_NO');
}

function adjustForVmx(caps: CpuCaps, { cpuid: cpu, features }: HostCpu, xcr0: bigint): void {
  const raw = (name: FeatureName) => {
    const { word, bit } = placeOf(name);
    const { leaf, subleaf, register } = featureWords[word];
    return ((executeCpuid(cpu, leaf, subleaf)[register] >>> bit) & 1) === 1;
  };
  caps.set('VMX');
  const hasMpx = (xcr0 & 0x18n) === 0x18n;
  if (hasMpx && raw('MPX')) caps.set('MPX');
  if (raw('WAITPKG')) caps.set('WAITPKG');
  if (features.pmu) {
    // The CPUs of this model have PEBS that works with EPT.
    if (raw('DS')) caps.set('DS');
    if (raw('DTES64')) caps.set('DTES64');
  } else {
    caps.clear('PDCM');
  }
}

/** CET comes whole, with both components of its state and one of its features, or not at all. */
function supportedXss(caps: CpuCaps, native: bigint): bigint {
  const hasFeature = caps.has('SHSTK') || caps.has('IBT');
  const xss = caps.has('XSAVES') && hasFeature ? native : 0n;
  if (xss === kvmXstate.xss) return xss;
  caps.clear('SHSTK', 'IBT');
  return 0n;
}
