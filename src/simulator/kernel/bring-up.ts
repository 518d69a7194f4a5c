/**
 * Loads kvm_intel on a machine that should run TDs, as tdx_hardware_setup() in arch/x86/kvm/vmx/tdx.c
 * does it. The outcome is what KVM takes from the module, or the reason why it offers no TDs. Any
 * failure other than a missing module keeps kvm_intel from loading at all, so that there is no
 * /dev/kvm.
 */

import type { RawCpuid } from '../../abi/cpuid/raw.ts';
import { ADDRESS_SIZES_LEAF, withGuestAddressBits, withoutForbidden } from '../../abi/kvm/cpuid.ts';
import type { KernelAbi } from '../../abi/kvm/kernels/record.ts';
import { attributeMask } from '../../abi/tdx/attributes.ts';
import { type ConfigurableLeaf, configurableLeaves } from '../../abi/tdx/cpuid/td-cpuid.ts';
import type { CpuidVirtualisation } from '../../abi/tdx/cpuid/virtual-leaves.ts';
import { type ModuleRelease, moduleReleases, tdxFeatures0 } from '../../abi/tdx/module-releases.ts';
import { canHaveDynamicPamt } from '../../abi/tdx/pamt.ts';
import { xfamFixed0, xfamFixed1 } from '../../abi/tdx/xfam.ts';
import type { FaultInjector } from '../faults.ts';
import { TdxModule } from '../module/tdx-module.ts';
import { oncePer } from '../once-per.ts';
import {
  type HostProfile,
  hostAddressBits,
  keyIdRange,
  type Platform,
  presentCpus,
} from '../platform.ts';
import type { Trace } from '../trace.ts';
import { supportedFeatures } from './cpuid/cpu-caps.ts';
import type { TdxSupport } from './kernel.ts';

export type BringUp =
  | { readonly outcome: 'tdx'; readonly tdx: TdxSupport }
  /** KVM works and offers no TDs. */
  | { readonly outcome: 'no-tdx'; readonly reason: string }
  /** kvm_intel did not load. */
  | { readonly outcome: 'no-kvm'; readonly reason: string };

export function bringUp(
  profile: HostProfile,
  abi: KernelAbi,
  faults: FaultInjector,
  trace: Trace,
): BringUp {
  const { platform, module: installed } = profile;
  // The kernel's core code looks first: without a module, or with too few key IDs, KVM never hears of
  // TDX.
  if (installed === undefined) {
    return { outcome: 'no-tdx', reason: 'the TDX module is not loaded' };
  }
  if (keyIdRange(platform.keyIds).guests < 1) {
    return {
      outcome: 'no-tdx',
      reason: `fewer than 2 TDX private key IDs (${platform.keyIds.tdxPrivate})`,
    };
  }
  const release: ModuleRelease = moduleReleases[installed.release];
  const maxVcpusPerTd = installed.maxVcpusPerTd ?? release.maxVcpusPerTd;
  if (maxVcpusPerTd === undefined && abi.bringUp.limitMissing === 'no TDX') {
    return {
      outcome: 'no-tdx',
      reason: `TDX module ${installed.release} has no MAX_VCPUS_PER_TD field to read`,
    };
  }

  const supportedXfam = supportedXfamOf(platform);
  const supportedAttributes = attributeMask['sept-ve-disable'] & release.attributesFixed0;
  if (supportedAttributes === 0n || supportedXfam === 0n) {
    return { outcome: 'no-kvm', reason: 'no supported ATTRIBUTES or XFAM' };
  }
  if ((release.features0 & tdxFeatures0.TOPOLOGY_ENUM) === 0n) {
    return {
      outcome: 'no-kvm',
      reason: `TDX module ${installed.release} lacks the feature TOPOLOGY_ENUM`,
    };
  }
  const cpus = presentCpus(platform);
  if (abi.bringUp.limitBelowPresentCpus === 'no KVM' && (maxVcpusPerTd ?? 0xffff) < cpus) {
    return {
      outcome: 'no-kvm',
      // This is the kernel's own wording.
      reason: `Disable TDX: MAX_VCPU_PER_TD (${maxVcpusPerTd}) smaller than number of logical CPUs (${cpus})`,
    };
  }
  const dynamicPamt =
    abi.memory.pamt !== 'static' &&
    canHaveDynamicPamt(release.features0, hostAddressBits(platform));
  return {
    outcome: 'tdx',
    tdx: {
      module: new TdxModule(profile, installed, faults, trace, { dynamicPamt }),
      dynamicPamt,
      supportedAttributes,
      supportedXfam,
      configurableCpuid: reportedLeaves(release.cpuid)(platform.cpuid),
    },
  };
}

// One list for all machines that are alike, so that what is derived of it is derived once.
const reportedLeaves = oncePer((virtualisation: CpuidVirtualisation) =>
  oncePer((cpu: RawCpuid) => configurableLeaves(virtualisation, cpu).map(asKvmReports)),
);

/** KVM supports nothing at all when the CPUs lack a feature that the module forces on. */
function supportedXfamOf(platform: Platform): bigint {
  const { xcr0, xss } = supportedFeatures(platform);
  if (((xcr0 | xss) & xfamFixed1) !== xfamFixed1) return 0n;
  return (xcr0 | xss) & xfamFixed0;
}

/**
 * Gives a configurable leaf as KVM_TDX_CAPABILITIES shows it. Source: td_init_cpuid_entry2() in
 * vmx/tdx.c.
 */
function asKvmReports(leaf: ConfigurableLeaf): ConfigurableLeaf {
  if (leaf.leaf === ADDRESS_SIZES_LEAF) {
    // The module does not configure the guest address width, but KVM takes it from these bits for GPAW.
    return { ...leaf, eax: withGuestAddressBits(leaf.eax, 0xff) };
  }
  return leaf.leaf === 7 && leaf.subleaf === 0 ? withoutForbidden(leaf) : leaf;
}
