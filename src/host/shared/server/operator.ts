/** Whoever looks at a shared host or changes it from outside, and is no process of its kernel. */
import type { Socket } from 'node:net';
import { NotTheProtocol } from '../wire/frames.ts';
import type { Call } from '../wire/messages.ts';
import { type CallUnderWay, FramedPeer } from './framed-peer.ts';
import type { Peer } from './peer.ts';

/** What can be asked for, by name. Arguments and answers are plain values. */
export type Operations = Readonly<Record<string, Operation>>;
export type Operation = (arg: unknown, asked: Asked) => unknown;

export interface Asked extends Pick<CallUnderWay, 'signal' | 'tell'> {
  /** Undefined where nobody can tell. */
  readonly by: Peer | undefined;
}

export interface OperatorOptions {
  readonly socket: Socket;
  readonly by: Peer | undefined;
  readonly operations: Operations;
  readonly nowNs: () => number;
  readonly left: () => void;
}

const noObjects = {
  refer: () => undefined,
  resolve: () => {
    throw new NotTheProtocol('an operator has no objects');
  },
};

export class Operator extends FramedPeer {
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    super(options.socket, noObjects);
    this.#options = options;
  }

  protected override get nowNs(): number {
    return this.#options.nowNs();
  }

  protected override async make({ method, arg }: Call, underWay: CallUnderWay): Promise<unknown> {
    const { operations, by } = this.#options;
    const operation = Object.hasOwn(operations, method) ? operations[method] : undefined;
    if (operation === undefined) throw new NotTheProtocol(`a host is not asked for ${method}`);
    const { signal, tell } = underWay;
    return operation(arg, { signal, tell, by });
  }

  protected override hear(): void {}

  protected override died(): void {
    this.#options.left();
  }
}
