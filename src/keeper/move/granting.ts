/** What of a TD goes to its next keeper: by a grant of the simulated machine, or as fds. */
import { unobserved } from '../../host/observed.ts';
import { grants, passesFds } from '../../host/passing.ts';
import type { Host } from '../../host/port.ts';
import type { TdRun } from '../../orchestrator/index.ts';
import { sendFds } from './fds.ts';
import { passedObjects } from './passed-objects.ts';
import type { Granted, Passed } from './protocol.ts';

/** @param to the program of the shared host that is to have it. */
export async function grantTo(to: number, host: Host, { session }: TdRun): Promise<Granted> {
  const { plan, handles } = session;
  if (!grants(host)) throw new Error(`${plan.facts.name} grants nothing`);
  const slots = plan.layout.slots.map(async ({ slot }) => {
    const guestMemory = handles.get('guestMemory').get(slot);
    const memory = handles.get('slotMemory').get(slot);
    if (guestMemory === undefined || memory === undefined) throw new Error(`no slot ${slot}`);
    return {
      slot,
      guestMemory: await host.grant(guestMemory, to),
      memory: await host.grant(memory, to),
    };
  });
  return {
    tdCpuid: handles.get('tdCpuid'),
    vm: await host.grant(unobserved(handles.get('vm')), to),
    slots: await Promise.all(slots),
  };
}

/** @param socketPath where the next keeper takes fds. */
export async function passTo(socketPath: string, host: Host, run: TdRun): Promise<Passed> {
  const { plan, handles } = run.session;
  if (!passesFds(host)) throw new Error(`${plan.facts.name} passes no fds`);
  const passing = passedObjects(host, run);
  await sendFds(
    socketPath,
    passing.map(({ fd }) => fd),
  );
  return {
    tdCpuid: handles.get('tdCpuid'),
    objects: passing.map(({ object }) => object),
  };
}
