import { setMaxListeners } from 'node:events';
import { endingSignals, endReadsOn } from '../documents/read-bytes.ts';

export interface Interrupts {
  /**
   * The signal that came first; `EPIPE` when the reader of stdout went away, or what else keeps the
   * output from being written.
   */
  readonly received: string | undefined;
  /** It is aborted by the first interrupt. */
  readonly signal: AbortSignal;
  /** The listener is called for each interrupt from now on, with how many there have been and what it is. */
  onInterrupt(listener: (times: number, reason: string) => void): void;
  /** Lets the process end. A signal that still comes does nothing, because the end is under way. */
  done(): void;
}

/** This one is told of an interrupt. The handlers outlive it, so that an end under way may finish. */
let interruptListener: ((reason: string) => void) | undefined;
let installed = false;

/** The handlers are installed once in a process, which may run several commands one after the other. */
function install() {
  if (installed) return;
  installed = true;
  for (const signal of endingSignals) process.on(signal, () => interrupt(signal));
}

/** Ends the command that is under way, as a signal does. */
export function interrupt(reason: string): void {
  interruptListener?.(reason);
}

export function isSignal(reason: string): reason is NodeJS.Signals {
  return endingSignals.some((signal) => signal === reason);
}

/**
 * Takes over the signals that would end the process, and the loss of output. An interrupt that comes
 * before anyone listens is remembered in `received`, and ends what is being read.
 */
export function listenForInterrupts(): Interrupts {
  let times = 0;
  let received: string | undefined;
  const controller = new AbortController();
  // Any number of TDs may be waited for at once.
  setMaxListeners(0, controller.signal);
  let listener: (times: number, reason: string) => void = () => undefined;
  endReadsOn(controller.signal);

  interruptListener = (reason) => {
    // More output may be lost on the way out; only a person's repeated Ctrl-C means something.
    if (!isSignal(reason) && times > 0) return;
    times += 1;
    received ??= reason;
    controller.abort(reason);
    listener(times, reason);
  };
  // Nothing else keeps the process alive while a TD is held: signal handlers do not.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  install();
  return {
    get received() {
      return received;
    },
    signal: controller.signal,
    onInterrupt: (newListener) => {
      listener = newListener;
    },
    done: () => {
      clearInterval(keepAlive);
      listener = () => undefined;
      endReadsOn(undefined);
    },
  };
}
