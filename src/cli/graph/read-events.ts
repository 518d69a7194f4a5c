import { readTextFile } from '../../documents/text-file.ts';
import type { EventFile } from '../../visualize/recorded-runs.ts';

const kind = {
  kind: 'recorded run',
  also: ['trace'],
  starter: () => 'record a run: `tdctl run SPEC -o json > FILE`',
  largest: { bytes: 64 * 1024 * 1024, because: 'has some events for each TD' },
} as const;

/** @throws TdctlError TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE, TDCTL_E_SPEC_INVALID. */
export async function readEvents(paths: readonly string[]): Promise<EventFile[]> {
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await readTextFile(path, kind) })),
  );
}
