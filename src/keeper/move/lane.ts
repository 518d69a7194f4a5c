/**
 * A way beside the connection of two keepers, for the state of a guest and the word that it has moved: neither end takes
 * a turn of its event loop for that, nor makes text of it. It is a socket that one passes to the other; where it is not
 * there, or does not carry in time, the state goes by the connection.
 */
import { type FdChannel, loadAddon, type PassedFd } from '../../../native/index.ts';

/** A keeper is deaf meanwhile, which nobody but the other one speaks to then. */
const withinMs = 100;

const moved = Uint8Array.of(1);

export class Lane {
  readonly #channel: FdChannel;
  #hasMoved = false;

  private constructor(channel: FdChannel) {
    this.#channel = channel;
  }

  /** How a state is laid out that goes over it; undefined where none can. */
  static get layout(): number | undefined {
    const native = loadAddon();
    return native.available ? native.addon.guestStateLayout : undefined;
  }

  /** @returns this end, and what is passed to the other keeper and closed here then. */
  static open(): { readonly lane: Lane; readonly theirs: FdChannel } {
    const [own, theirs] = channels().pair();
    return { lane: new Lane(own), theirs };
  }

  /** The end that was passed, which is taken over. */
  static async accept(passed: PassedFd): Promise<Lane> {
    const lane = new Lane(channels().of(passed.fd));
    await passed.close();
    return lane;
  }

  /** False where it did not get there. */
  send(state: Uint8Array): boolean {
    return this.#channel.sendNow(state, withinMs);
  }

  /** Undefined where nothing comes in time, or ever. */
  receive(): Uint8Array | undefined {
    return this.#channel.receiveNow(withinMs);
  }

  /**
   * The TD is here now. It is in the kernel's hands when this returns, whatever becomes of this process; false where it
   * has to be told otherwise.
   */
  tellMoved(): boolean {
    return this.#channel.sendNow(moved, withinMs);
  }

  /** Whether the other end has said so. Whoever concludes from silence asks first. */
  get hasMoved(): boolean {
    this.#hasMoved ||= this.#channel.receiveNow(0) !== undefined;
    return this.#hasMoved;
  }

  async close(): Promise<void> {
    await this.#channel.close();
  }
}

function channels() {
  const native = loadAddon();
  if (!native.available) throw new Error('a lane is made by the addon alone');
  return native.addon.FdChannel;
}
