/** Waits for processes, for as long as something happens. */
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { readProcess } from '../keeper/process-stat.ts';
import { unlessStuck, type Violation } from '../rehearsal/index.ts';
import type { OwnHost } from './own-host.ts';
import type { PlayedTd, RestState } from './played-td.ts';

const lookEveryMs = 4;

/** Resolves once nobody is at work on a TD, and it is what is wanted or over, in its keeper's own words too. */
export async function atRest(
  td: PlayedTd,
  { wanted, signal }: { readonly wanted: readonly RestState[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    if (td.isAtRest(wanted) && (await td.confirms(wanted))) return;
    await delay(lookEveryMs);
  }
}

/** Resolves once the host has closed what dead processes had there. */
export async function leftByTheDead(
  host: OwnHost,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  while (!host.isDead && !signal.aborted) {
    const { programs } = await host.seen();
    if (programs.every(({ pid }) => pid !== undefined && hasProcess(pid))) return;
    await delay(lookEveryMs);
  }
}

function hasProcess(pid: number): boolean {
  const found = readProcess(pid);
  return found !== undefined && !['Z', 'X'].includes(found.state);
}

/** So many tenths of a second may pass in which no keeper writes anything: a machine under load is slow. */
const looks = 300;

interface Waiting {
  readonly tds: ReadonlyMap<string, PlayedTd>;
  readonly what: string;
}

export function whileKeepersWrite<Output>(
  work: Promise<Output>,
  { tds, what }: Waiting,
): Promise<Output | Violation> {
  return unlessStuck(work, {
    ...{ what, looks },
    progress: () => [...tds.values()].reduce((sum, td) => sum + bytesOf(td), 0),
    states: () => [...tds].map(([name, { listed }]) => [name, listed?.state]),
  });
}

function bytesOf({ files }: PlayedTd): number {
  const paths = [files.journal, files.journalBefore, files.nextJournal, files.status];
  return paths.reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
