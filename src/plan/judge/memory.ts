/**
 * Whether the memory of a host holds a TD whose guest has accepted all of its memory. No request asks for it
 * at once: a TD that is too large is built, and dies when its guest touches the page for which there is none.
 */
import { pamtCost, pamtPairsBytes } from '../../abi/tdx/pamt.ts';
import { roundedBytes } from '../../documents/quantity.ts';
import { TdctlError } from '../../errors/index.ts';
import type { HostFacts, HostMemoryFacts } from '../../host/facts.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { footprintOf } from '../footprint.ts';
import type { MemoryLayout } from '../memory-layout.ts';
import { always, factsOf, type JudgedHost, now, type Objection, type Reason } from './objection.ts';
import type { PreparedTd } from './prepare.ts';

export interface MemoryNeed {
  /** Guest memory, the pages of the module, and their metadata where PAMT is dynamic. */
  readonly hostBytes: bigint;
  /** What is charged to the memory cgroup: pages of guest_memfds and of the secure EPT. */
  readonly cgroupBytes: bigint;
}

/** Without facts of the host there is only the guest's memory to count. */
export function memoryNeed(
  { spec, layout }: Pick<PreparedTd, 'spec' | 'layout'>,
  host: JudgedHost,
): MemoryNeed {
  const facts = factsOf(host);
  if (facts === undefined) return { hostBytes: spec.memoryBytes, cgroupBytes: spec.memoryBytes };
  const { guestMemoryBytes, control, totalBytes } = footprintWith(spec, layout, facts);
  const pairsBytes = host.memory?.pamt === 'dynamic' ? pamtPairsBytes(totalBytes) : 0n;
  return {
    hostBytes: totalBytes + pairsBytes,
    cgroupBytes: guestMemoryBytes + BigInt(control.secureEpt) * 4096n,
  };
}

function footprintWith(spec: TrustDomain, layout: MemoryLayout | undefined, facts: HostFacts) {
  const ram = { slot: 0, holds: 'ram', gpa: 0n, sizeBytes: spec.memoryBytes } as const;
  const ramAlone = { slots: [ram], initialPages: [], hobAddress: 0n };
  return footprintOf(spec, { layout: layout ?? ramAlone, facts });
}

/** What the module keeps for its metadata from the moment that TDX is enabled. */
export function keptForPamt({ totalBytes, pamt }: HostMemoryFacts): bigint {
  const { staticBytes, fixedBytes, counterBytes } = pamtCost(totalBytes);
  return pamt === 'static' ? staticBytes : fixedBytes + counterBytes;
}

export function memoryObjections(td: PreparedTd, host: JudgedHost): Objection[] {
  const { memory } = host;
  if (memory === undefined) return [];
  const { hostBytes, cgroupBytes } = memoryNeed(td, host);
  const objection = (reason: Reason, hint: string): Objection => ({
    reasons: [reason],
    error: () => noMemory(td.spec, { name: host.name, reason, hint }),
  });
  return [
    ...hostReasons(hostBytes, host, memory).map((reason) =>
      objection(
        reason,
        reason.holds === 'always'
          ? 'ask for less memory, or choose a larger host with --host'
          : 'stop a TD or another program that has memory, or ask for less',
      ),
    ),
    ...cgroupReasons(cgroupBytes, memory).map((reason) =>
      objection(reason, 'raise memory.max of the cgroup, or run from another one'),
    ),
  ];
}

function hostReasons(needed: bigint, host: JudgedHost, memory: HostMemoryFacts): Reason[] {
  const { totalBytes, availableBytes } = memory;
  const kept = factsOf(host) === undefined ? 0n : keptForPamt(memory);
  const words = `${roundedBytes(needed)} needed`;
  if (needed > totalBytes - kept) {
    const has = `the host has ${roundedBytes(totalBytes)}`;
    const less = kept === 0n ? '' : `, and its PAMT takes ${roundedBytes(kept)} of that`;
    return [always('memory', `${words}, ${has}${less}`)];
  }
  return availableBytes !== undefined && needed > availableBytes
    ? [now('memory', `${words}, ${roundedBytes(availableBytes)} available`)]
    : [];
}

function cgroupReasons(needed: bigint, { cgroupBytes }: HostMemoryFacts): Reason[] {
  if (cgroupBytes === undefined || needed <= cgroupBytes) return [];
  const room = roundedBytes(cgroupBytes < 0n ? 0n : cgroupBytes);
  return [
    now('cgroupMemory', `${roundedBytes(needed)} needed, memory.max of the cgroup leaves ${room}`),
  ];
}

function noMemory(
  spec: TrustDomain,
  { name, reason, hint }: { readonly name: string; readonly reason: Reason; readonly hint: string },
): TdctlError {
  const field = 'spec.memory';
  return new TdctlError({
    code: 'TDCTL_E_NO_MEMORY',
    op: 'check the memory',
    place: spec.source.locate(field),
    message: `${name} has no room for the memory of this TD: ${reason.text}`,
    details: [spec.source.finding({ field, problem: reason.text })],
    hint,
  });
}
