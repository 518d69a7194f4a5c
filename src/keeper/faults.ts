/**
 * Where tests reach in, so that a keeper dies or finds its disk full at a chosen point: TDCTL_KEEPER_FAULT has one or
 * more of these, with commas between. A keeper takes no notice of it otherwise.
 *
 *   die-before:N   dies (SIGKILL) instead of writing record N of the journal
 *   die-at:N       dies as soon as record N is written
 *   fail-write:N   the Nth write to the state directory by this process answers ENOSPC
 *   full-from:N    the Nth does, and all that follow
 */
import type { OutputFile } from '../files/not-writable.ts';

export interface KeeperFaults {
  /** Comes before each write to the directory of a TD, the journal's too. @throws an error with the code ENOSPC. */
  readonly beforeWrite: (file: OutputFile) => void;
  /** Come around the writing of each record of the journal. */
  readonly beforeRecord: (seq: number) => void;
  readonly afterRecord: (seq: number) => void;
}

export const keeperFaultVariable = 'TDCTL_KEEPER_FAULT';

export function keeperFaults(env: NodeJS.ProcessEnv): KeeperFaults {
  const wanted = (env[keeperFaultVariable] ?? '').split(',').map((text) => text.split(':'));
  const numbersOf = (fault: string) =>
    wanted.filter(([name]) => name === fault).map(([, number]) => Number(number));
  const [before, at] = [numbersOf('die-before'), numbersOf('die-at')];
  const [failing, [fullFrom = Number.POSITIVE_INFINITY]] = [
    numbersOf('fail-write'),
    numbersOf('full-from'),
  ];
  let writes = 0;
  return {
    beforeWrite: () => {
      writes += 1;
      if (writes < fullFrom && !failing.includes(writes)) return;
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
    beforeRecord: (seq) => dieIf(before.includes(seq)),
    afterRecord: (seq) => dieIf(at.includes(seq)),
  };
}

function dieIf(isDue: boolean): void {
  if (isDue) process.kill(process.pid, 'SIGKILL');
}
