/** The guest that runs in a real VM, beside the TD whose vCPUs the simulated module enters and leaves. */
import type { Guest, GuestCounts, GuestEnd, GuestState, GuestTimes } from '../guest.ts';
import { GuestEnding } from '../guest-ending.ts';

export class SoftGuest implements Guest {
  readonly #real: Guest;
  readonly #simulated: Guest;
  readonly #ending = new GuestEnding();

  constructor(real: Guest, simulated: Guest) {
    this.#real = real;
    this.#simulated = simulated;
    for (const side of [real, simulated]) void this.#watch(side);
  }

  get ended(): Promise<GuestEnd> {
    return this.#ending.ended;
  }

  get end(): GuestEnd | undefined {
    return this.#ending.end;
  }

  /** The simulated side is first: what it refuses never reaches the real kernel. */
  async run(letIn?: () => void): Promise<void> {
    await this.#simulated.run();
    if (this.#simulated.end !== undefined) return;
    try {
      await this.#real.run(letIn);
    } catch (error) {
      await this.#simulated.pause();
      throw error;
    }
  }

  async pause(atRest?: (packed: Uint8Array) => void): Promise<void> {
    await this.#real.pause(atRest);
    await this.#simulated.pause();
  }

  input(bytes: Uint8Array): number {
    return this.#real.input(bytes);
  }

  counts(): GuestCounts {
    return this.#real.counts();
  }

  times(): GuestTimes {
    return this.#real.times();
  }

  getState(): Promise<GuestState> {
    return this.#real.getState();
  }

  setState(state: GuestState): Promise<void> {
    return this.#real.setState(state);
  }

  get takePacked(): Guest['takePacked'] {
    return this.#real.takePacked;
  }

  async close(): Promise<void> {
    await this.#real.close();
    await this.#simulated.close();
  }

  async #watch(side: Guest): Promise<void> {
    const end = await side.ended;
    await this.pause();
    this.#ending.tell(end);
  }
}
