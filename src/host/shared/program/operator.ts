/** A shared host as those have it who look at it or change it from outside. */
import { hostToken } from '../wire/messages.ts';
import { joinHost } from './join.ts';
import type { CallOptions, Link } from './link.ts';

export class HostOperator {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  ask<Answer>(operation: string, arg?: unknown, options?: CallOptions): Promise<Answer> {
    return this.#link.call(hostToken, operation, arg, options) as Promise<Answer>;
  }

  close(): void {
    this.#link.leave();
  }
}

/** @throws TdctlError as openSharedHost() says. */
export async function openHostOperator(path: string, name: string): Promise<HostOperator> {
  const { link } = await joinHost(path, {
    host: { name },
    said: { as: 'operator', pid: process.pid },
    made: (_, { token }) => {
      throw new Error(`the host tells an operator of an object ${token}`);
    },
  });
  return new HostOperator(link);
}
