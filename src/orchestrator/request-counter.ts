import type { RequestCount } from './events.ts';

/** Counts the requests of the step under way, in the order in which each kind came first. */
export class RequestCounter {
  #counts = new Map<string, number>();

  begin(): void {
    this.#counts = new Map();
  }

  add(request: string): void {
    this.#counts.set(request, (this.#counts.get(request) ?? 0) + 1);
  }

  end(): readonly RequestCount[] {
    const counts = [...this.#counts].map(([request, count]) => ({ request, count }));
    this.begin();
    return counts;
  }
}
