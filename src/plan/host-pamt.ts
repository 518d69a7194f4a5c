/** What the TDX module's metadata of pages (PAMT) costs a host, and what dynamic PAMT would save there. */
import { moduleRelease, tdxFeatures0 } from '../abi/tdx/module-releases.ts';
import { pamtCost, pamtPairsBytes } from '../abi/tdx/pamt.ts';
import type { HostFacts, HostMemoryFacts } from '../host/facts.ts';

export interface HostPamt {
  readonly hostMemoryBytes: bigint;
  /** How this host keeps it. */
  readonly mode: HostMemoryFacts['pamt'];
  readonly staticBytes: bigint;
  readonly dynamic: DynamicPamtBytes;
  /** What dynamic PAMT leaves free while these TDs run; negative: it costs more. */
  readonly savedBytes: bigint;
  /** Undefined where the release of the module is not known. */
  readonly moduleHasDynamic: boolean | undefined;
}

export interface DynamicPamtBytes {
  /** Taken when TDX is enabled. */
  readonly fixedBytes: bigint;
  /** The kernel's counters of the users of each 2 MiB. */
  readonly counterBytes: bigint;
  /** Pairs of pages for the memory of TDs, at least; they come and go with it. */
  readonly pairsBytes: bigint;
}

/** @param tdBytes the memory of the TDs that run, with the module's pages for them. */
export function pamtSaving(
  hostMemoryBytes: bigint,
  tdBytes: bigint,
): Pick<HostPamt, 'hostMemoryBytes' | 'staticBytes' | 'dynamic' | 'savedBytes'> {
  const { staticBytes, fixedBytes, counterBytes } = pamtCost(hostMemoryBytes);
  const pairsBytes = pamtPairsBytes(tdBytes);
  return {
    hostMemoryBytes,
    staticBytes,
    dynamic: { fixedBytes, counterBytes, pairsBytes },
    savedBytes: staticBytes - fixedBytes - counterBytes - pairsBytes,
  };
}

export function hostPamt(
  { totalBytes, pamt }: HostMemoryFacts,
  { facts, tdBytes }: { readonly facts: HostFacts; readonly tdBytes: bigint },
): HostPamt {
  const release = facts.module && moduleRelease(facts.module.release);
  return {
    ...pamtSaving(totalBytes, tdBytes),
    mode: pamt,
    moduleHasDynamic: release && (release.features0 & tdxFeatures0.DYNAMIC_PAMT) !== 0n,
  };
}
