/** Waits until something happens in some directories. What they tell may be missed, so nobody waits for it alone. */
import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

export class Changes {
  readonly #watchers: readonly FSWatcher[];
  #hasChanged = false;
  #wake: (() => void) | undefined;

  /** One that is not there, or cannot be watched, tells nothing: inotify has its limits (inotify(7)). */
  constructor(directories: readonly string[]) {
    this.#watchers = directories.flatMap((directory) => {
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#note());
        // It is removed under us, or the like.
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch {
        return [];
      }
    });
  }

  /**
   * Resolves once something has changed since the last time, but not before `leastMs` are over, and at the latest
   * after `mostMs`.
   *
   * @throws the reason of `signal`.
   */
  async next(
    { leastMs, mostMs }: { readonly leastMs: number; readonly mostMs: number },
    signal?: AbortSignal,
  ): Promise<void> {
    await pauseFor(leastMs, signal);
    if (!this.#hasChanged) {
      const ends = new AbortController();
      const either = signal === undefined ? ends.signal : AbortSignal.any([signal, ends.signal]);
      this.#wake = () => ends.abort();
      await pauseFor(mostMs - leastMs, either).catch(() => undefined);
      this.#wake = undefined;
    }
    signal?.throwIfAborted();
    this.#hasChanged = false;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #note(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }
}

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
