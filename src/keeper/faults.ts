/**
 * Where tests reach in, so that a keeper dies or finds its disk full at a chosen point: TDCTL_KEEPER_FAULT has one or
 * more of these, with commas between. A keeper takes no notice of it otherwise.
 *
 *   die-before:N   dies (SIGKILL) instead of writing record N of the journal
 *   die-at:N       dies as soon as record N is written
 *   stop-at:N      stops (SIGSTOP) then, until it is sent SIGCONT
 *   fail-write:N   the Nth write to the state directory by this process answers ENOSPC
 *   full-from:N    the Nth does, and all that follow
 *   unchecked      lets the kernel answer what a move would be refused for (`rehearse --processes --unchecked`)
 *   patience:MS    waits no longer than this for the other keeper of a move
 */
import type { OutputFile } from '../files/not-writable.ts';

export interface KeeperFaults {
  /** Comes before each write to the directory of a TD, the journal's too. @throws an error with the code ENOSPC. */
  readonly beforeWrite: (file: OutputFile) => void;
  /** Come around the writing of each record of the journal. */
  readonly beforeRecord: (seq: number) => void;
  readonly afterRecord: (seq: number) => void;
  /** Undefined: as long as usual. */
  readonly patienceMs: number | undefined;
  /** Of a move that is conducted from here. */
  readonly checks: 'all' | 'none';
}

export const keeperFaultVariable = 'TDCTL_KEEPER_FAULT';

export function keeperFaults(env: NodeJS.ProcessEnv): KeeperFaults {
  const wanted = (env[keeperFaultVariable] ?? '').split(',').map((text) => text.split(':'));
  const numbersOf = (fault: string) =>
    wanted.filter(([name]) => name === fault).map(([, number]) => Number(number));
  const before = numbersOf('die-before');
  const at = numbersOf('die-at');
  const stopAt = numbersOf('stop-at');
  const failing = numbersOf('fail-write');
  const [fullFrom = Number.POSITIVE_INFINITY] = numbersOf('full-from');
  const [patienceMs] = numbersOf('patience');
  const checks = wanted.some(([name]) => name === 'unchecked') ? 'none' : 'all';
  let writes = 0;
  return {
    ...{ patienceMs, checks },
    beforeWrite: () => {
      writes += 1;
      if (writes < fullFrom && !failing.includes(writes)) return;
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
    beforeRecord: (seq) => {
      if (before.includes(seq)) signalSelf('SIGKILL');
    },
    afterRecord: (seq) => {
      if (at.includes(seq)) signalSelf('SIGKILL');
      if (stopAt.includes(seq)) signalSelf('SIGSTOP');
    },
  };
}

function signalSelf(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
}
