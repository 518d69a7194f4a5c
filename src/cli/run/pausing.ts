/** Pause and resume while a TD runs: by a key, by SIGUSR2, and around a stop of the whole process (Ctrl-Z). */
import { setTimeout as delay } from 'node:timers/promises';
import type { KeptRun } from '../../orchestrator/index.ts';
import type { CommandIo } from '../io.ts';
import { say } from '../output/print.ts';

/** The process is stopped after so long even if a vCPU has not left the guest: it is stopped with it then. */
const mostPausingMs = 2000;

export interface Pausing {
  /** Pauses a TD that runs, and resumes one that is paused. */
  toggle(): void;
  done(): void;
}

interface PausingOptions {
  readonly td: KeptRun;
  readonly io: CommandIo;
  /** Gives the terminal away, and returns what takes it back. */
  readonly handOver: () => () => void;
}

export function listenForPausing({ td, io, handOver }: PausingOptions): Pausing {
  const toggle = () => {
    if (td.send({ type: 'td.pause' }) || td.send({ type: 'td.resume' })) return;
    say(io, `the TD is ${td.state}: it can be paused while it runs, and resumed when it is paused`);
  };
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    const isPaused = td.send({ type: 'td.pause' });
    if (isPaused) await Promise.race([td.reaches('paused'), delay(mostPausingMs)]);
    const takeBack = handOver();
    process.off('SIGTSTP', onStop);
    stopProcess();
    process.on('SIGTSTP', onStop);
    takeBack();
    isStopping = false;
    if (isPaused && (await td.reaches('paused'))) td.send({ type: 'td.resume' });
  };
  const onStop = () => void stop();
  process.on('SIGUSR2', toggle);
  process.on('SIGTSTP', onStop);
  return {
    toggle,
    done() {
      process.off('SIGUSR2', toggle);
      process.off('SIGTSTP', onStop);
    },
  };
}

/**
 * By the signal's own default, so that a process whose shell has gone is not stopped for ever. Returns when the
 * process goes on (SIGCONT).
 */
function stopProcess(): void {
  process.kill(process.pid, 'SIGTSTP');
}
