/** What a TD was created from. */
import { readFileSync } from 'node:fs';
import type { KeepRequest } from '../../keeper/request.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';

/** @returns undefined where that cannot be read: a keeper that died early had not written it. */
export function requestOfTd(state: StateDirectory, name: string): KeepRequest | undefined {
  try {
    return JSON.parse(readFileSync(tdFiles(state, name).request, 'utf8'));
  } catch {
    return undefined;
  }
}
