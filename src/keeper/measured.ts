/**
 * How long teardowns took on this host: `measured.json` of the state directory, which whoever gave a key slot back
 * writes. It is replaced whole, and so it also tells those who wait in the queue that there is one
 * (admission/admitted.ts).
 */
import { readFileSync } from 'node:fs';
import { writeWholeFile } from '../files/index.ts';
import type { StateDirectory } from './state-directory.ts';

export interface Teardown {
  readonly host: string;
  readonly kernel: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** From the first thing that was given back to the last, by the clock of this machine. */
  readonly ms: number;
}

interface MeasuredFile {
  readonly version: 1;
  /** The latest is the last. */
  readonly teardowns: readonly Teardown[];
}

/** They are kept for each host and kernel, and those of hosts that nobody uses any more fall out at last. */
const mostTeardowns = 64;

/** None where nothing was measured, or the file is none of ours. */
export function readTeardowns(state: StateDirectory): readonly Teardown[] {
  try {
    const { version, teardowns } = JSON.parse(readFileSync(pathOf(state), 'utf8')) as MeasuredFile;
    return version === 1 ? teardowns.filter(isTeardown) : [];
  } catch {
    return [];
  }
}

/**
 * Adds one. It is no loss where that fails, or another process does the same at this moment.
 *
 * @returns whether it was written.
 */
export async function noteTeardown(state: StateDirectory, teardown: Teardown): Promise<boolean> {
  const teardowns = [...readTeardowns(state), teardown].slice(-mostTeardowns);
  const content: MeasuredFile = { version: 1, teardowns };
  try {
    await writeWholeFile(
      { path: pathOf(state), what: 'times of teardowns', existing: 'replace' },
      `${JSON.stringify(content)}\n`,
    );
    return true;
  } catch {
    return false;
  }
}

function pathOf(state: StateDirectory): string {
  return `${state.path}/measured.json`;
}

function isTeardown(value: unknown): value is Teardown {
  if (typeof value !== 'object' || value === null) return false;
  const { host, kernel, vcpus, memoryBytes, ms } = value as Teardown;
  return (
    typeof host === 'string' &&
    typeof kernel === 'string' &&
    [vcpus, memoryBytes, ms].every((number) => Number.isFinite(number) && number > 0)
  );
}
