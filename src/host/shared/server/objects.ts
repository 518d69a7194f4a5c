/** What a program can name: its objects, by numbers that are its own. */
import type { SimulatedHost } from '../../simulated/index.ts';
import { hostToken, type ObjectKind } from '../wire/messages.ts';
import type { Decoding, Encoding, Reference } from '../wire/values.ts';
import { objectFacts } from './methods.ts';

interface Named {
  readonly kind: ObjectKind | 'host';
  readonly target: object;
}

export class ProgramObjects implements Encoding, Decoding {
  readonly #byToken: Map<number, Named>;
  readonly #tokens = new Map<object, number>();
  #next = hostToken + 1;

  constructor(host: SimulatedHost) {
    this.#byToken = new Map([[hostToken, { kind: 'host', target: host }]]);
  }

  at(token: number): Named | undefined {
    return this.#byToken.get(token);
  }

  resolve({ token }: Reference): object {
    const named = this.#byToken.get(token);
    if (named === undefined) throw new Error(`there is no object ${token}`);
    return named.target;
  }

  /** Names an object of the machine's, and tells what it is when that is done for the first time. */
  refer(value: object): Reference | undefined {
    const known = this.#tokens.get(value);
    if (known !== undefined) return { token: known };
    const facts = objectFacts(value);
    if (facts === undefined) return undefined;
    const token = this.#next++;
    this.#tokens.set(value, token);
    this.#byToken.set(token, { kind: facts.kind, target: value });
    return { token, facts };
  }

  forget(token: number): void {
    const named = this.#byToken.get(token);
    if (named === undefined || token === hostToken) return;
    this.#byToken.delete(token);
    this.#tokens.delete(named.target);
  }
}
