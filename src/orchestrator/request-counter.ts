import type { RequestCount } from './events.ts';

/** Counts the requests of the step under way, in the order in which each kind came first. */
export class RequestCounter {
  // A step makes few kinds of requests, so that looking through them is faster than a key for each.
  #counts: { request: string; answer: string; count: number }[] = [];

  add(request: string, answer: string): void {
    for (const kind of this.#counts) {
      if (kind.request !== request || kind.answer !== answer) continue;
      kind.count += 1;
      return;
    }
    this.#counts.push({ request, answer, count: 1 });
  }

  /** Takes the counts since the last call. */
  take(): readonly RequestCount[] {
    const counts = this.#counts;
    this.#counts = [];
    return counts;
  }
}
