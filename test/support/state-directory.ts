/**
 * Every test file has a directory of kept TDs of its own, and so have the processes that it starts: no test sees the
 * TDs of another, or of the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { stateBase } from './state-base.ts';

const directory = mkdtempSync(join(stateBase, 'td-'));
process.env.TDCTL_STATE_DIR = directory;

afterAll(() => rmSync(directory, { recursive: true, force: true }));
