const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** What came first, if anything did. */
  readonly received: string | undefined;
  /** Puts the signals' own effects back. */
  stopListening(): void;
}

/**
 * Calls back for each signal that would end the process, and when nobody reads stdout any more.
 * The first asks for a teardown; the caller decides what a repeated one means.
 */
export function listenForInterrupts(onInterrupt: (times: number) => void): Interrupts {
  let times = 0;
  let received: string | undefined;
  const interrupt = (reason: string) => {
    times += 1;
    received ??= reason;
    onInterrupt(times);
  };
  const brokenPipe = () => interrupt('EPIPE');
  for (const signal of signals) process.on(signal, interrupt);
  process.stdout.on('error', brokenPipe);
  return {
    get received() {
      return received;
    },
    stopListening: () => {
      for (const signal of signals) process.off(signal, interrupt);
      process.stdout.off('error', brokenPipe);
    },
  };
}
