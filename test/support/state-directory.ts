/**
 * Every test file has a directory of kept TDs of its own, and so have the processes that it starts: no test sees the
 * TDs of another, or of the machine. The path is short, because a socket lies in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'td-'));
process.env.TDCTL_STATE_DIR = directory;

afterAll(() => rmSync(directory, { recursive: true, force: true }));
