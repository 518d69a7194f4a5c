/** The clock of the wall may be set back, so how long ago something was is told by the time since boot. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  /** Milliseconds since this boot, suspended time included (CLOCK_BOOTTIME). */
  readonly uptimeMs: number;
}

export function momentNow(): Moment {
  return { at: new Date().toISOString(), uptimeMs: Math.round(uptime() * 1000) };
}

/** For many moments of a short while: asking how long the machine is up reads a file of the kernel each time. */
export function momentsFrom(begin: Moment): () => Moment {
  const beganMs = performance.now();
  return () => {
    const passedMs = Math.round(performance.now() - beganMs);
    return { at: new Date().toISOString(), uptimeMs: begin.uptimeMs + passedMs };
  };
}

/**
 * How long ago that was, which is never less than nothing.
 *
 * @param isThisBoot whether the moment was in the boot that `now` is in. Else only the wall's clock can tell.
 */
export function msSince(
  then: Moment,
  { now, isThisBoot }: { readonly now: Moment; readonly isThisBoot: boolean },
): number {
  const ms = isThisBoot ? now.uptimeMs - then.uptimeMs : Date.parse(now.at) - Date.parse(then.at);
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** Another one after each boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
