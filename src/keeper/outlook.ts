/** What is to come of kept TDs: places in the queue, and how long teardowns will take. */
import { readLine } from './admission/line.ts';
import type { Ticket } from './admission/tickets.ts';
import { leftMs, slotForecastMs } from './forecast.ts';
import type { KeptTd } from './kept-td.ts';
import { readKeptTds } from './kept-tds.ts';
import { readTeardowns, type Teardown } from './measured.ts';
import type { StateDirectory } from './state-directory.ts';

/**
 * Reads nothing more where none of the TDs waits, or is being taken down.
 *
 * @param tds of the state directory, as many as somebody asks for.
 */
export async function withOutlook(
  state: StateDirectory,
  tds: readonly KeptTd[],
): Promise<readonly KeptTd[]> {
  const isQueued = tds.some((td) => td.state === 'queued');
  const isReleasing = tds.some(({ state }) => state === 'releasing' || state === 'draining');
  if (!isQueued && !isReleasing) return tds;
  // Whoever may only read sees no queue that he cannot read.
  const hosts = new Set(tds.flatMap(({ host }) => (isQueued && host !== null ? host.name : [])));
  const lines = new Map<string, readonly Ticket[]>();
  for (const host of hosts) lines.set(host, await readLine(state, host).catch(() => []));
  // Whoever waits gets the slot of any of those that are taken down.
  const all = isQueued ? readKeptTds(state) : [];
  return outlook(tds, { lines, all, measured: readTeardowns(state) });
}

/** Of one TD; what cannot be read is not told. */
export async function outlookOn(state: StateDirectory, td: KeptTd): Promise<KeptTd> {
  const [seen = td] = await withOutlook(state, [td]).catch(() => []);
  return seen;
}

interface Surroundings {
  /** By host. */
  readonly lines: ReadonlyMap<string, readonly Ticket[]>;
  /** Every kept TD. */
  readonly all: readonly KeptTd[];
  readonly measured: readonly Teardown[];
}

export function outlook(tds: readonly KeptTd[], surroundings: Surroundings): KeptTd[] {
  return tds.map((td) => ({
    ...td,
    leftMs: leftMs(td, surroundings.measured),
    queue: td.state === 'queued' ? placeOf(td, surroundings) : null,
  }));
}

function placeOf({ name, host }: KeptTd, { lines, all, measured }: Surroundings): KeptTd['queue'] {
  if (host === null) return null;
  const moving = (lines.get(host.name) ?? []).filter(({ isStopped }) => !isStopped);
  const position = moving.findIndex(({ td }) => td === name) + 1;
  if (position === 0) return null;
  const left = all
    .filter((td) => td.holdsKeySlot && td.host?.name === host.name)
    .map((td) => leftMs(td, measured));
  return { position, of: moving.length, forecastMs: slotForecastMs(position, { free: 0, left }) };
}
