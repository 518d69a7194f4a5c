/** `tdctl host --room`: how many TDs a host that is there takes. */
import type { HostOffer } from '../../host/offer.ts';
import type { Host } from '../../host/port.ts';
import { askHost } from '../../plan/judge/index.ts';
import { type Room, roomFor } from '../../plan/room/index.ts';
import { defaultHostProfile, defaultKernelAbi } from '../../simulator/index.ts';
import { hostProfile } from '../host-profile.ts';
import type { HostChoice } from '../open-host.ts';
import type { Demands } from './demands.ts';
import { type RoomTimes, roomTimes, type Twin } from './times.ts';

export interface HostRoom {
  /** Of the TD, or of the fleet. */
  readonly name: string;
  readonly room: Room;
  readonly times: RoomTimes | undefined;
}

export async function hostRoom(
  host: Host,
  asked: {
    readonly offer: HostOffer;
    readonly wanted: Demands;
    readonly choice: HostChoice;
  },
): Promise<HostRoom> {
  const { name, demands } = asked.wanted;
  const judged = await askHost(host, asked.offer);
  const room = roomFor(demands, judged);
  const times = await roomTimes({ demands, room, host: judged }, await twinOf(asked.choice));
  return { name, room, times };
}

/** As for the times of a plan, the default profile stands in for a real host. */
async function twinOf({ host, kernel = defaultKernelAbi }: HostChoice): Promise<Twin> {
  const profile = /^(?:sim|soft):(.*)$/s.exec(host)?.[1] ?? defaultHostProfile;
  return { profile: await hostProfile(profile), kernel };
}
