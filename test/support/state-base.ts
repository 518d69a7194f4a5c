import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where tests keep TDs: in memory where that can be had, as /run is, and with a short path, for a socket lies in it. */
export const stateBase = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
