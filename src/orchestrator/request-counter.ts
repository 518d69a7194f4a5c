import type { RequestCount } from './events.ts';

/** Counts the requests of the step under way, in the order in which each kind came first. */
export class RequestCounter {
  #counts = new Map<string, number>();

  add(request: string): void {
    this.#counts.set(request, (this.#counts.get(request) ?? 0) + 1);
  }

  /** The counts since the last call. */
  take(): readonly RequestCount[] {
    const counts = [...this.#counts].map(([request, count]) => ({ request, count }));
    this.#counts = new Map();
    return counts;
  }
}
