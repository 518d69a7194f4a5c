/** Waiting for a TD to be as somebody wants it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { isOver } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';

/** A keeper that is killed changes no file, so the files are looked at again and again. */
const lookEveryMs = 100;

export interface Awaited {
  readonly name: string;
  /** Undefined stands for a TD that is not there. */
  readonly until: (td: KeptTd | undefined) => boolean;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

/** How it was seen last, and whether that is what was waited for. */
export interface Seen {
  readonly td: KeptTd | undefined;
  readonly ended: 'reached' | 'timeout' | 'interrupted';
}

export async function awaitTd(
  state: StateDirectory,
  { name, until, signal, timeoutMs = Number.POSITIVE_INFINITY }: Awaited,
): Promise<Seen> {
  const begun = performance.now();
  for (;;) {
    const td = readKeptTd(state, name);
    if (until(td)) return { td, ended: 'reached' };
    if (signal.aborted) return { td, ended: 'interrupted' };
    const left = timeoutMs - (performance.now() - begun);
    if (left <= 0) return { td, ended: 'timeout' };
    await delay(Math.min(lookEveryMs, left), undefined, { signal }).catch(() => undefined);
  }
}

/** It is over, and its keeper is gone: the name can be taken, and the record removed. */
export function isFree(td: KeptTd | undefined): boolean {
  return td === undefined || (isOver(td.state) && td.keeper?.lives !== true);
}

/** A keeper that has said its last word ends soon. */
export const mostEndingMs = 10_000;

export async function awaitFree(
  state: StateDirectory,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await awaitTd(state, { name, until: isFree, signal, timeoutMs: mostEndingMs });
}
