/** `next.json`: who is to keep the TD next. How far that is stands in `next.journal`. */
import { readFileSync } from 'node:fs';
import type { KeeperIdentity } from '../identity.ts';

export interface NextStatus {
  readonly version: 1;
  readonly keeper: KeeperIdentity;
}

/** @returns undefined where there is none, or it cannot be read. */
export function readNextStatus(path: string): NextStatus | undefined {
  try {
    const status: NextStatus = JSON.parse(readFileSync(path, 'utf8'));
    return typeof status?.keeper?.pid === 'number' ? status : undefined;
  } catch {
    return undefined;
  }
}
