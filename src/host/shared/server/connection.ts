/**
 * A program that has joined: a process of the simulated kernel, with its own address space, files and cgroup. When its
 * connection closes, that process has died: the kernel closes its files in the order in which they were opened, and
 * what was under way on them ends.
 */
import type { Socket } from 'node:net';
import type { ZodError } from 'zod';
import { SimulatedGuest, type SimulatedHost, SimulatedMemory } from '../../simulated/index.ts';
import { NotTheProtocol } from '../wire/frames.ts';
import { type Call, pageBytes, type ToHost, type WrittenPages } from '../wire/messages.ts';
import { type CallUnderWay, FramedPeer } from './framed-peer.ts';
import { methods, type Passing } from './methods.ts';
import { ProgramObjects } from './objects.ts';

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly host: SimulatedHost;
  readonly passing: Passing;
  /** Called before the answer to each call. */
  readonly called?: (() => void) | undefined;
  /** The process has died, and holds nothing any more. */
  readonly died: () => void;
}

export class Connection extends FramedPeer {
  readonly #host: SimulatedHost;
  readonly #passing: ConnectionOptions['passing'];
  readonly #died: () => void;
  readonly #called: (() => void) | undefined;
  readonly #objects: ProgramObjects;

  constructor({ socket, host, passing, died, called }: ConnectionOptions) {
    const objects = new ProgramObjects(host);
    super(socket, objects);
    this.#host = host;
    this.#passing = passing;
    this.#died = died;
    this.#called = called;
    this.#objects = objects;
  }

  protected override get nowNs(): number {
    return this.#host.machine.nowNs;
  }

  protected override async make(call: Call, underWay: CallUnderWay): Promise<unknown> {
    const { on, method: name, arg } = call;
    const named = this.#objects.at(on);
    if (named === undefined) throw new NotTheProtocol(`there is no object ${on}`);
    const known = methods[named.kind];
    const method = Object.hasOwn(known, name) ? known[name] : undefined;
    if (method === undefined) throw new NotTheProtocol(`a ${named.kind} is not asked for ${name}`);
    const parsed = method.arg.safeParse(arg);
    if (!parsed.success) throw new NotTheProtocol(`${name}: ${problems(parsed.error)}`);
    const context = { underWay, passing: this.#passing };
    const made = await method.call(named.target as never, parsed.data as never, context);
    this.#called?.();
    if (made instanceof SimulatedGuest) this.#tellEnd(made);
    return made;
  }

  protected override hear(message: Exclude<ToHost, Call>): void {
    if ('write' in message) this.#write(message);
    else if ('forget' in message) for (const token of message.forget) this.#objects.forget(token);
  }

  protected override died(): void {
    this.#host.exitProcess();
    this.#died();
  }

  #tellEnd(guest: SimulatedGuest): void {
    void guest.ended.then((end) => {
      const { token } = this.#objects.refer(guest) ?? {};
      if (token !== undefined) this.tell({ ended: token, nowNs: this.nowNs, end });
    });
  }

  #write({ write, pages, bytes }: WrittenPages): void {
    const memory = this.#objects.at(write)?.target;
    if (!(memory instanceof SimulatedMemory)) throw new NotTheProtocol('no memory has that number');
    for (const [place, page] of pages.entries()) {
      memory.write({
        offsetBytes: BigInt(page) * BigInt(pageBytes),
        bytes: bytes.subarray(place * pageBytes, (place + 1) * pageBytes),
      });
    }
  }
}

function problems({ issues }: ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ');
}
