import type { Guest, GuestEnd, GuestState } from '../../guest.ts';
import { GuestEnding } from '../../guest-ending.ts';
import { InstructionlessGuest } from '../../simulated/instructionless-guest.ts';
import type { SharedFile } from './shared-file.ts';

/** A guest whose vCPUs are inside KVM_RUN on the shared host. */
export class SharedGuest extends InstructionlessGuest implements Guest {
  readonly #file: SharedFile;
  readonly #ending = new GuestEnding();

  constructor(file: SharedFile) {
    super();
    this.#file = file;
    file.link.whenGuestEnds(file.token, (end) => this.#ending.tell(end));
  }

  get ended(): Promise<GuestEnd> {
    return this.#ending.ended;
  }

  get end(): GuestEnd | undefined {
    return this.#ending.end;
  }

  run(): Promise<void> {
    return this.#file.ask('run');
  }

  pause(): Promise<void> {
    return this.#file.ask('pause');
  }

  getState(): Promise<GuestState> {
    return this.#file.ask('getState');
  }

  setState(state: GuestState): Promise<void> {
    return this.#file.ask('setState', state);
  }

  async close(): Promise<void> {
    await this.#file.close();
    this.#file.link.ignoreGuest(this.#file.token);
  }
}
