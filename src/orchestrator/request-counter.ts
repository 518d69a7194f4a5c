import type { RequestCount } from './events.ts';

/** Counts the requests of the step under way, in the order in which each kind came first. */
export class RequestCounter {
  #counts = new Map<string, RequestCount>();

  add({ request, answer }: { readonly request: string; readonly answer: string }): void {
    const kind = `${request} ${answer}`;
    const count = (this.#counts.get(kind)?.count ?? 0) + 1;
    this.#counts.set(kind, { request, answer, count });
  }

  /** Takes the counts since the last call. */
  take(): readonly RequestCount[] {
    const counts = [...this.#counts.values()];
    this.#counts = new Map();
    return counts;
  }
}
