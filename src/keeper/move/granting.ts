/** What of a TD goes to its next keeper: by a grant of the simulated machine, or as fds. */
import { unobserved } from '../../host/observed.ts';
import { grants, passesFds } from '../../host/passing.ts';
import type { Host } from '../../host/port.ts';
import type { TdRun } from '../../orchestrator/index.ts';
import { sendFds } from './fds.ts';
import { Lane } from './lane.ts';
import { passedObjects } from './passed-objects.ts';
import type { Granted, Passed, Passing } from './protocol.ts';

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

interface PassTo {
  /** Where the next keeper takes fds. */
  readonly socketPath: string;
  readonly host: Host;
  readonly run: TdRun;
  readonly wanted: Passing | null;
}

/** @returns a lane too, where one is wanted that the guest can use. */
export async function passTo({ socketPath, host, run, wanted }: PassTo) {
  const { plan, handles } = run.session;
  if (!passesFds(host)) throw new Error(`${plan.facts.name} passes no fds`);
  const opened = isForLane(run, wanted) ? Lane.open() : undefined;
  const lane = opened && { object: { kind: 'lane' } as const, fd: opened.theirs };
  const passing = [...passedObjects(host, run), ...(lane === undefined ? [] : [lane])];
  await sendFds(
    socketPath,
    passing.map(({ fd }) => fd),
  );
  await opened?.theirs.close();
  const answer: Passed = {
    tdCpuid: handles.get('tdCpuid'),
    objects: passing.map(({ object }) => object),
  };
  return { answer, lane: opened?.lane };
}

function isForLane({ session: { handles } }: TdRun, wanted: Passing | null): boolean {
  const gives = handles.has('guest') && handles.get('guest').takePacked !== undefined;
  return gives && wanted?.laneLayout !== undefined && wanted.laneLayout === Lane.layout;
}
