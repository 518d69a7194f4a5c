/**
 * Every test file has a directory of kept TDs of its own, and so have the processes that it starts: no test sees the
 * TDs of another, or of the machine. Keepers and shared hosts that are still there when the file is over end with it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { endAll, hasEnded, processesWith, until } from './processes.ts';
import { stateBase } from './state-base.ts';

const directory = mkdtempSync(join(stateBase, 'td-'));
process.env.TDCTL_STATE_DIR = directory;

afterAll(async () => {
  const left = processesWith(`TDCTL_STATE_DIR=${directory}`);
  endAll(left);
  await until(() => left.every(hasEnded));
  rmSync(directory, { recursive: true, force: true });
});
