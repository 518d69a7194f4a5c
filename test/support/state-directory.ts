/**
 * Every test file has a directory of kept TDs of its own, and so have the processes that it starts: no test sees the
 * TDs of another, or of the machine. The path is short, because a socket lies in it.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** In memory where that can be had, as it is in /run. */
export const stateBase = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const directory = mkdtempSync(join(stateBase, 'td-'));
process.env.TDCTL_STATE_DIR = directory;

afterAll(() => rmSync(directory, { recursive: true, force: true }));
