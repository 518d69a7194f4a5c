/** Whose the key slots of a host are: our TDs', those of TDs on their way out, other people's, and nobody's. */
import type { KeySlots } from '../host/facts.ts';
import { sharesSlots } from './admission/slots.ts';
import { leftMs } from './forecast.ts';
import type { KeptTd } from './kept-td.ts';
import type { Teardown } from './measured.ts';
import type { VmHolding, VmHoldings } from './vm-holders.ts';

export interface KeptSlot {
  readonly name: string;
  readonly state: KeptTd['state'];
  readonly keeperPid: number | null;
  readonly since: string | null;
  /** Of a teardown: estimated, null where nothing is known. */
  readonly leftMs: number | null;
}

export interface SlotLedger {
  /**
   * `host`: all share the slots that `keySlots` counts. `each keeper`: every keeper simulates a machine of its own, so
   * its TD takes a slot there and none of these.
   */
  readonly countedFor: 'host' | 'each keeper';
  readonly ours: number;
  readonly draining: number;
  readonly kept: readonly KeptSlot[];
  /** Slots that VMs of other processes may have; null where that cannot be told. */
  readonly foreign: number | null;
  readonly foreignProcesses: readonly VmHolding[] | null;
  /** In use, and of no process that was found; null where that cannot be told. */
  readonly suspectedLeaks: number | null;
}

export interface SlotsSeen {
  readonly hostName: string;
  readonly slots: KeySlots | undefined;
  readonly tds: readonly KeptTd[];
  readonly measured: readonly Teardown[];
  /** Processes that keep none of these TDs. */
  readonly holdings: VmHoldings;
}

const onTheWayOut: readonly KeptTd['state'][] = ['releasing', 'draining'];

export function slotLedger(seen: SlotsSeen): SlotLedger {
  const { hostName, slots, tds, measured, holdings } = seen;
  const isOut = ({ state }: KeptTd) => onTheWayOut.includes(state);
  const holding = tds.filter((td) => td.host?.name === hostName && td.holdsKeySlot);
  const draining = holding.filter(isOut).length;
  const ours = holding.length - draining;
  const shared = sharesSlots(hostName);
  const rest =
    shared && slots !== undefined ? Math.max(0, slots.used - ours - draining) : undefined;
  return {
    countedFor: shared ? 'host' : 'each keeper',
    ours,
    draining,
    kept: holding.map((td) => ({
      ...{ name: td.name, state: td.state, keeperPid: td.keeper?.pid ?? null },
      ...{ since: td.since, leftMs: leftMs(td, measured) },
    })),
    foreignProcesses: shared ? holdings.found : null,
    ...othersOf(rest, holdings),
  };
}

/** A VM of another process takes a slot where it is a TD, so there are at most as many as it has VMs. */
function othersOf(
  rest: number | undefined,
  { found, isComplete }: VmHoldings,
): Pick<SlotLedger, 'foreign' | 'suspectedLeaks'> {
  if (rest === undefined) return { foreign: null, suspectedLeaks: null };
  const vms = found.reduce((sum, holding) => sum + holding.vmFds, 0);
  if (rest <= vms) return { foreign: rest, suspectedLeaks: 0 };
  return isComplete
    ? { foreign: vms, suspectedLeaks: rest - vms }
    : { foreign: null, suspectedLeaks: null };
}
