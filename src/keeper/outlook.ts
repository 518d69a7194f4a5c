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
  const line = isQueued ? await readLine(state).catch(() => []) : [];
  // Whoever waits gets the slot of any of those that are taken down.
  const all = isQueued ? readKeptTds(state) : [];
  return outlook(tds, { line, all, measured: readTeardowns(state) });
}

/** Of one TD; what cannot be read is not told. */
export async function outlookOn(state: StateDirectory, td: KeptTd): Promise<KeptTd> {
  const [seen = td] = await withOutlook(state, [td]).catch(() => []);
  return seen;
}

interface Surroundings {
  readonly line: readonly Ticket[];
  /** Every kept TD. */
  readonly all: readonly KeptTd[];
  readonly measured: readonly Teardown[];
}

export function outlook(tds: readonly KeptTd[], { line, all, measured }: Surroundings): KeptTd[] {
  const moving = line.filter(({ isStopped }) => !isStopped);
  const left = all.filter((td) => td.holdsKeySlot).map((td) => leftMs(td, measured));
  return tds.map((td) => ({
    ...td,
    leftMs: leftMs(td, measured),
    queue: td.state === 'queued' ? placeIn(moving, td.name, left) : null,
  }));
}

function placeIn(
  line: readonly Ticket[],
  name: string,
  left: readonly (number | null)[],
): KeptTd['queue'] {
  const position = line.findIndex(({ td }) => td === name) + 1;
  if (position === 0) return null;
  return { position, of: line.length, forecastMs: slotForecastMs(position, { free: 0, left }) };
}
