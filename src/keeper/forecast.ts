/**
 * How long a teardown will take, and so when a key slot comes free: estimates, and nothing where they would be made
 * up. The cost model has the shape (src/simulator/costs.ts, fitted to public times of real hosts), what was measured
 * on this host has the scale.
 */
import { guestPagesTeardownNs } from '../simulator/costs.ts';
import type { KeptTd } from './kept-td.ts';
import type { Teardown } from './measured.ts';

type Sized = Omit<Teardown, 'ms'>;

/** So many of the latest count: a host is not what it was before its last update. */
const mostCounted = 16;
const pageBytes = 4096;

/**
 * From the beginning of a teardown to its end; null where nothing is known: a simulated host takes as long as the
 * machine it runs on, and the model knows nothing of that.
 */
export function teardownMs(
  td: Sized & { readonly simulated: boolean },
  measured: readonly Teardown[],
): number | null {
  const ofHost = measured
    .filter(({ host, kernel }) => host === td.host && kernel === td.kernel)
    .slice(-mostCounted);
  if (ofHost.length === 0) return td.simulated ? null : modelMs(td);
  return modelMs(td) * median(ofHost.map((teardown) => teardown.ms / modelMs(teardown)));
}

/** KVM_TDX_TERMINATE_VM, which is faster, is in no release; where it is, what was measured says so. */
function modelMs({ vcpus, memoryBytes }: Pick<Sized, 'vcpus' | 'memoryBytes'>): number {
  return (
    guestPagesTeardownNs({ pages: memoryBytes / pageBytes, vcpus, key: 'assigned' }) / 1_000_000
  );
}

/** What is read of a TD for it. */
export type Releasing = Pick<
  KeptTd,
  'state' | 'host' | 'kernel' | 'vcpus' | 'memoryBytes' | 'sinceMs'
>;

/** How long the teardown of a TD will still take; null where none is under way, or it is late already. */
export function leftMs(td: Releasing, measured: readonly Teardown[]): number | null {
  if (td.state !== 'releasing' && td.state !== 'draining') return null;
  const { host, kernel, vcpus, memoryBytes, sinceMs } = td;
  if (host === null || kernel === null || vcpus === null || memoryBytes === null) return null;
  const ms = teardownMs(
    { host: host.name, simulated: host.simulated, kernel, vcpus, memoryBytes },
    measured,
  );
  if (ms === null || sinceMs === null || sinceMs > ms) return null;
  return Math.round((ms - sinceMs) * 1000) / 1000;
}

/**
 * When the one at `position` of the queue gets a slot: once as many teardowns have ended. Null where fewer are under
 * way, since nobody knows when a TD that runs will end.
 */
export function slotForecastMs(
  position: number,
  { free, left }: { readonly free: number; readonly left: readonly (number | null)[] },
): number | null {
  if (position <= free) return 0;
  const known = left.filter((ms) => ms !== null).sort((one, other) => one - other);
  return known[position - free - 1] ?? null;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}
