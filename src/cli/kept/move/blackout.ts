/** How long no vCPU ran, by the threads of the vCPUs where there are any, else by the states of the migration. */
import type { TdRun } from '../../../orchestrator/index.ts';

export class Blackout {
  #since: number | undefined;
  #ms: number | null = null;

  /** The migration enters a state. */
  enters(isBlackout: boolean): void {
    if (isBlackout) this.#since ??= performance.now();
    else if (this.#since !== undefined) this.#ms ??= performance.now() - this.#since;
  }

  /**
   * @param parkedNs when the last vCPU of the source was parked, on the clock of this machine.
   * @returns null where no vCPU was to run.
   */
  ms(parkedNs: bigint | null, destination: TdRun | undefined): number | null {
    const handles = destination?.session.handles;
    const enteredNs = handles?.has('guest') ? handles.get('guest').times().enteredNs : undefined;
    if (parkedNs !== null && enteredNs !== undefined && enteredNs >= parkedNs) {
      return Number(enteredNs - parkedNs) / 1e6;
    }
    return destination?.isIn('running') ? rounded(this.#ms) : null;
  }
}

const rounded = (ms: number | null) => ms && Math.round(ms * 1000) / 1000;
