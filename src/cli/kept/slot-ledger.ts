/** The slot ledger of the host at hand, from the kept TDs and the processes of this machine. */
import { TdctlError } from '../../errors/index.ts';
import type { HostFacts } from '../../host/facts.ts';
import type { Host } from '../../host/port.ts';
import { readKeptTds } from '../../keeper/kept-tds.ts';
import { readTeardowns } from '../../keeper/measured.ts';
import { processesOfKeptTds } from '../../keeper/own-processes.ts';
import { type SlotLedger, slotLedger } from '../../keeper/slot-ledger.ts';
import { openStateDirectory } from '../../keeper/state-directory.ts';
import { vmHoldings } from '../../keeper/vm-holders.ts';

/** Null where the kept TDs cannot be read. */
export async function keptSlotLedger(
  host: Host,
  { kind, name }: HostFacts,
  env: NodeJS.ProcessEnv,
): Promise<SlotLedger | null> {
  try {
    const state = await openStateDirectory(env, { create: false });
    const tds = readKeptTds(state);
    // This process has a VM open itself, by which it has asked for the limit of a TD.
    const ours = [process.pid, ...processesOfKeptTds(state, tds)];
    return slotLedger({
      ...{ hostName: name, slots: await host.keySlots(), tds },
      measured: readTeardowns(state),
      // The processes of this machine tell nothing of a simulated one.
      holdings: kind === 'kvm' ? vmHoldings(new Set(ours)) : { found: [], isComplete: false },
    });
  } catch (error) {
    if (error instanceof TdctlError && error.code === 'TDCTL_E_STATE_DIRECTORY') return null;
    throw error;
  }
}
