/** The console of a TD that has come from another keeper: its files, and its socket with whoever is attached to that. */
import type { TdctlError } from '../../../errors/index.ts';
import { type ConsoleSink, ConsoleSocket } from '../../../guest/index.ts';
import type { ProcessIdentity } from '../../../keeper/identity.ts';
import { keeperLog } from '../../../keeper/keeper-log.ts';
import { receiveConsole } from '../../../keeper/move/console.ts';
import type { MovePeer } from '../../../keeper/move/peer.ts';
import { openSinks } from '../../run/console/run-console.ts';
import type { WantedConsole } from '../../run/console/wanted.ts';
import { ConsoleFiles } from './console-files.ts';
import type { TypedAhead } from './typed-ahead.ts';

interface PassedBy {
  readonly peer: MovePeer;
  /** Where fds come in. */
  readonly path: string;
  readonly deadlineMs: number;
}

export class MovedConsole implements ConsoleSink {
  readonly #wanted: WantedConsole;
  readonly #files = new ConsoleFiles();
  readonly socket: ConsoleSocket | undefined;

  constructor(wanted: WantedConsole, { input }: TypedAhead) {
    this.#wanted = wanted;
    const { socket: path } = wanted;
    this.socket = path === undefined ? undefined : ConsoleSocket.ofAnother({ path, input });
  }

  readonly print = (bytes: Uint8Array, lostBytes: number): void => {
    this.#files.print(bytes, lostBytes);
    this.socket?.print(bytes, lostBytes);
  };

  /** Whoever is attached is cut off only where the keeper before has gone without a word. */
  async takeSocket({ peer, ...from }: PassedBy): Promise<void> {
    const receive = async () => (peer.gone ? undefined : await receiveConsole(peer, from));
    await this.socket?.takeOver(receive).catch(keeperLog);
  }

  /** The files are written once the keeper before has ended. */
  followFiles(keeper: ProcessIdentity): void {
    const wanted = { files: this.#wanted.files, socket: undefined };
    const onFailure = ({ place, message }: TdctlError) => keeperLog(`${place}: ${message}`);
    this.#files.follow(keeper, () => openSinks(wanted, { input: () => 0, onFailure }), keeperLog);
  }

  async end(): Promise<void> {
    await Promise.all([this.#files.end(), this.socket?.end()]);
  }
}
