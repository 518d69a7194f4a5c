/** The clock of the wall may be set back, so how long ago something was is told by the time since boot. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

export interface Moment {
  /** ISO 8601. */
  readonly at: string;
  /** Milliseconds since this boot, suspended time included (CLOCK_BOOTTIME). */
  readonly uptimeMs: number;
}

interface Clocks {
  readonly wallMs: number;
  /** Stands while the machine is suspended (CLOCK_MONOTONIC). */
  readonly monotonicMs: number;
}

/** Asking how long the machine is up reads a file of the kernel, so it is asked once, and then again where it must be. */
let asked: (Clocks & { readonly uptimeMs: number }) | undefined;

export function momentNow(): Moment {
  const now = { wallMs: Date.now(), monotonicMs: performance.now() };
  if (asked === undefined || areApart(asked, now)) {
    asked = { ...now, uptimeMs: uptime() * 1000 };
  }
  return {
    at: new Date(now.wallMs).toISOString(),
    uptimeMs: Math.round(asked.uptimeMs + now.monotonicMs - asked.monotonicMs),
  };
}

const mostApartMs = 50;

/** The clock of the wall was set, or the machine was suspended. */
function areApart(then: Clocks, now: Clocks): boolean {
  const apartMs = now.wallMs - then.wallMs - (now.monotonicMs - then.monotonicMs);
  return Math.abs(apartMs) > mostApartMs;
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
