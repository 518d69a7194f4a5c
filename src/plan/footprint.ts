/**
 * What a TD costs its host in memory, page by page: the guest's own memory, and the TDX module's
 * pages for it (Intel TDX Module Base Architecture Specification). The PAMT is left out: host-pamt.ts
 * has it, because it is the host's, and static on released kernels.
 */

import { pidTableBytes } from '../abi/kvm/pid-table.ts';
import { PAGE_SIZE } from '../abi/kvm/structs.ts';
import { moduleRelease, moduleReleases } from '../abi/tdx/module-releases.ts';
import type { HostFacts } from '../host/facts.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';
import type { MemoryLayout } from './memory-layout.ts';

const MIB = 1n << 20n;
const GIB = 1n << 30n;

export interface Footprint {
  readonly guestMemoryBytes: bigint;
  /** The pages that the TDX module takes. */
  readonly control: ControlPages;
  readonly controlBytes: bigint;
  /** What `maxVcpus` above `vcpus` adds; it is paid now and cannot be added later. */
  readonly headroomBytes: bigint;
  readonly totalBytes: bigint;
  /** What a plain VM would pay for the same headroom, which is its PID-pointer table. */
  readonly plainVmPidTableBytes: number;
  /** The release whose page counts these are, and whether that is a guess. */
  readonly pageCountsOf: { readonly release: string; readonly isGuess: boolean };
}

export interface ControlPages {
  readonly tdr: number;
  readonly tdcs: number;
  /** The TDVPR and TDCX pages of all vCPUs. */
  readonly tdvps: number;
  /** The most, with every page of the guest accepted as 4 KiB. The root is inside the TDCS. */
  readonly secureEpt: number;
}

export function footprintOf(
  spec: TrustDomain,
  { layout, facts }: { readonly layout: MemoryLayout; readonly facts: HostFacts },
): Footprint {
  const { release, name, isGuess } = releaseOf(facts);
  const control: ControlPages = {
    tdr: 1,
    tdcs: release.tdcxPages.base,
    tdvps: spec.maxVcpus * release.tdvpsPages.base,
    secureEpt: secureEptPages(layout, spec.gpaw),
  };
  const guestMemoryBytes = layout.slots.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0n);
  const controlBytes = bytesOf(control.tdr + control.tdcs + control.tdvps + control.secureEpt);
  return {
    guestMemoryBytes,
    control,
    controlBytes,
    headroomBytes: bytesOf((spec.maxVcpus - spec.vcpus) * release.tdvpsPages.base),
    totalBytes: guestMemoryBytes + controlBytes,
    plainVmPidTableBytes: pidTableBytes(spec.maxVcpus),
    pageCountsOf: { release: name, isGuess },
  };
}

/** A host without a known release is taken for this one: all of 1.5 have the same page counts. */
const assumedRelease = '1.5.28';

function releaseOf(facts: HostFacts) {
  const name = facts.module?.release;
  const release = name === undefined ? undefined : moduleRelease(name);
  if (name !== undefined && release) return { release, name, isGuess: false };
  return { release: moduleReleases[assumedRelease], name: assumedRelease, isGuess: true };
}

/**
 * There is one table for each 2 MiB, 1 GiB and 512 GiB in which any private page lies, and for each 256 TiB where
 * the secure EPT has five levels.
 */
function secureEptPages({ slots }: MemoryLayout, gpaw: TrustDomain['gpaw']): number {
  const levels = [2n * MIB, GIB, 512n * GIB, ...(gpaw === 52 ? [512n * 512n * GIB] : [])];
  return levels.reduce((sum, covered) => {
    const tables = new Set<bigint>();
    let inside = 0;
    for (const { gpa, sizeBytes } of slots) {
      const first = gpa / covered;
      const last = (gpa + sizeBytes - 1n) / covered;
      tables.add(first).add(last);
      inside += Math.max(0, Number(last - first) - 1);
    }
    return sum + inside + tables.size;
  }, 0);
}

function bytesOf(pages: number): bigint {
  return BigInt(pages) * PAGE_SIZE;
}
