/** The VM of the source on this side, in the way that the host has for it. */
import { TdctlError } from '../../../errors/index.ts';
import { type FdPassingHost, grants, hasProcesses, passesFds } from '../../../host/passing.ts';
import type { Host } from '../../../host/port.ts';
import { receiveFds } from '../../../keeper/move/fds.ts';
import { grantedVm } from '../../../keeper/move/granted-vm.ts';
import { Lane } from '../../../keeper/move/lane.ts';
import { acceptPassed, passedVm } from '../../../keeper/move/passed-vm.ts';
import type { Passing } from '../../../keeper/move/protocol.ts';
import type { SourceVm } from '../../../keeper/move/source-vm.ts';
import { twinVm } from '../../../keeper/move/twin-vm.ts';
import type { TdPlan } from '../../../plan/index.ts';
import type { Reached } from './reach-source.ts';

interface Bringing extends Pick<Reached, 'peer' | 'stands'> {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly nextSocket: string;
}

const deadlineMs = 60_000;

export async function bringVm(bringing: Bringing): Promise<SourceVm> {
  const { host, plan, peer, stands } = bringing;
  if (grants(host)) {
    return grantedVm(host, await peer.ask('grant', { to: host.process }, { deadlineMs }));
  }
  if (hasProcesses(host)) {
    const twin = await twinVm(host, { plan, mrtd: stands.mrtd });
    return passesFds(host) ? await withMemory(twin, host, bringing) : twin;
  }
  if (passesFds(host)) return await passedVm(host, await fdsFrom(bringing));
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'move a TD to another keeper',
    message: `nothing of a VM passes between processes on ${plan.facts.name}`,
    hint: 'the TD stays where it is',
  });
}

/** Its VM, for each slot what is private of it and what is not, and a lane. */
function fdsFrom({ peer, plan, nextSocket }: Bringing, wanted: Passing | null = null) {
  return receiveFds(nextSocket, {
    maxFds: 2 + 2 * plan.layout.slots.length,
    ask: () => peer.ask('pass', wanted, { deadlineMs }),
  });
}

/** Where a guest runs beside the simulated TD, its memory is what it has there, and all else is the twin's. */
async function withMemory(
  twin: SourceVm,
  host: FdPassingHost,
  bringing: Bringing,
): Promise<SourceVm> {
  const came = await fdsFrom(bringing, { laneLayout: Lane.layout });
  const { slotMemory, lane, close } = await acceptPassed(host, came);
  return {
    ...twin,
    lane,
    origin: { ...twin.origin, slotMemory },
    async close() {
      await close();
      await twin.close();
    },
  };
}
