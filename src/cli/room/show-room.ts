/** What `tdctl host --room` adds to what a host is. */
import { sharedHostName } from '../../host/identity.ts';
import type { HostOffer } from '../../host/offer.ts';
import type { Host } from '../../host/port.ts';
import type { CommandIo } from '../io.ts';
import type { HostChoice } from '../open-host.ts';
import { paint } from '../output/paint.ts';
import { sanitize } from '../output/sanitize.ts';
import { machineOf } from '../shared-host/reach.ts';
import { readDemands } from './demands.ts';
import { hostRoom } from './host-room.ts';
import { roomData } from './room-data.ts';
import { roomLines, timesWords } from './room-text.ts';

/** Reads the file before a host is opened, and gives what asks that host. */
export async function roomAsked(file: string, asked: HostChoice, io: CommandIo) {
  const wanted = await readDemands(file, { files: io.files });
  const { host: named } = asked;
  // Its like is simulated, for how long TDs take there.
  const shared = sharedHostName(named);
  const choice = shared === undefined ? asked : await machineOf(shared, io.env);
  return async (host: Host, offer: HostOffer) => {
    const { name, room, times } = await hostRoom(host, { offer, wanted, choice });
    const { bold } = paint(io.colors.stdout);
    const lines = [...roomLines(room), ...(times ? [timesWords(times)] : [])];
    return {
      data: { td: name, ...roomData(room, times) },
      text: `\nRoom for ${bold(sanitize(name))}\n${lines.map((line) => `  ${sanitize(line)}\n`).join('')}`,
    };
  };
}
