export interface PatienceOptions {
  /** Counts what has happened. It is stuck when nothing was added through all the looks. */
  readonly progress: () => number;
  readonly signal: AbortSignal;
  /** How many looks in a row must find nothing new. */
  readonly looks?: number;
  /** Ends when it is time to look again. */
  readonly untilNextLook?: (signal: AbortSignal) => Promise<unknown>;
}

/**
 * Resolves when nothing happens any more, and never after an abort. Looks are counted and not time: a
 * process that was stopped (SIGSTOP, a suspended machine) or that gets no CPU makes few of them, because
 * each begins only after the one before, and whatever was due by then has had its turn.
 */
export async function untilStuck(options: PatienceOptions): Promise<void> {
  const { progress, signal, looks = 100, untilNextLook = tenthOfASecond } = options;
  let seen = progress();
  for (let quiet = 0; quiet < looks; quiet++) {
    await untilNextLook(signal);
    const now = progress();
    if (now !== seen) quiet = -1;
    seen = now;
  }
}

/** As setTimeout() of node:timers/promises, which makes an error of each abort. */
function tenthOfASecond(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, 100);
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
