/** The VM of the source on this side, in the way that the host has for it. */
import { TdctlError } from '../../../errors/index.ts';
import { type FdPassingHost, grants, hasProcesses, passesFds } from '../../../host/passing.ts';
import type { Host, UserMemory } from '../../../host/port.ts';
import { receiveFds } from '../../../keeper/move/fds.ts';
import { grantedVm } from '../../../keeper/move/granted-vm.ts';
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
    return passesFds(host) ? await withMemory(twin, await memoryFrom(host, bringing)) : twin;
  }
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'move a TD to another keeper',
    message: `nothing of a VM passes between processes on ${plan.facts.name}`,
    hint: 'the TD stays where it is',
  });
}

type SlotMemory = ReadonlyMap<number, UserMemory>;

/** The memory in which the guest runs, which both processes map from now on. */
async function memoryFrom(
  host: FdPassingHost,
  { peer, plan, nextSocket }: Bringing,
): Promise<SlotMemory> {
  const { answer, fds } = await receiveFds(nextSocket, {
    maxFds: plan.layout.slots.length,
    ask: () => peer.ask('passMemory', null, { deadlineMs }),
  });
  const memory = new Map<number, UserMemory>();
  for (const [place, fd] of fds.entries()) {
    const slot = answer.slots[place];
    if (slot !== undefined) memory.set(slot, await host.acceptMemory(fd));
    await fd.close();
  }
  return memory;
}

/** Where a guest runs beside the simulated TD, its memory is what it has there, and all else is the twin's. */
async function withMemory(twin: SourceVm, slotMemory: SlotMemory): Promise<SourceVm> {
  return {
    ...twin,
    origin: { ...twin.origin, slotMemory },
    async close() {
      for (const memory of slotMemory.values()) await memory.close();
      await twin.close();
    },
  };
}
