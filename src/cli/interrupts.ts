const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** The signal that came first, or `EPIPE` when the reader of stdout went away. */
  readonly received: string | undefined;
  /** From now on called for each interrupt, with how many there have been. */
  onInterrupt(listener: (times: number) => void): void;
  /** Lets the process end. A signal that still comes meets an end that is under way. */
  done(): void;
}

/**
 * Takes over the signals that would end the process, and the end of whoever reads stdout. An
 * interrupt that comes before anyone listens is remembered in `received`.
 */
export function listenForInterrupts(): Interrupts {
  let times = 0;
  let received: string | undefined;
  let listener: (times: number) => void = () => undefined;

  const interrupt = (reason: string) => {
    times += 1;
    received ??= reason;
    listener(times);
  };
  // Every later write fails again; only a person's repeated Ctrl-C means something.
  const brokenPipe = () => {
    if (times === 0) interrupt('EPIPE');
  };
  // Nothing else keeps the process alive while a TD is held: signal handlers do not.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  for (const signal of signals) process.on(signal, interrupt);
  process.stdout.on('error', brokenPipe);
  return {
    get received() {
      return received;
    },
    onInterrupt: (newListener) => {
      listener = newListener;
    },
    done: () => {
      clearInterval(keepAlive);
      listener = () => undefined;
    },
  };
}
