import { type CallOptions, type Link, SharedObject } from './link.ts';

/** What is open on the host until it is closed. */
export class SharedFile extends SharedObject {
  #isClosed = false;

  constructor(link: Link, token: number) {
    super(link, token);
    link.opened(this);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      // A host that is gone has closed everything.
      if (this.link.gone === undefined) await this.ask('close');
    } catch (error) {
      if (error !== this.link.gone) throw error;
    } finally {
      this.link.closed();
    }
  }

  ask<Answer>(method: string, arg?: unknown, options?: CallOptions): Promise<Answer> {
    return this.link.call(this.token, method, arg, options) as Promise<Answer>;
  }
}
