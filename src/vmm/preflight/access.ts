import { accessSync, constants } from 'node:fs';
import { errnoOf } from '../../errors/errno.ts';

/** Why this user cannot open a device to read and to write: an errno; undefined where nothing is in the way. */
export function openProblem(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
}
