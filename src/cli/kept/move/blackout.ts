/** How long no vCPU ran, by the threads of the vCPUs where there are any, else by the states of the migration. */
import type { BlackoutPart } from '../../../keeper/move/report.ts';
import type { TdRun } from '../../../orchestrator/index.ts';
import type { MigrationRun } from '../../../orchestrator/migration/index.ts';

export class Blackout {
  #since: number | undefined;
  readonly #states: { readonly state: string; readonly at: number }[] = [];
  #endedAt: number | undefined;

  /** The migration enters a state. */
  enters(state: string, isBlackout: boolean): void {
    const at = performance.now();
    if (isBlackout) {
      this.#since ??= at;
      this.#states.push({ state, at });
    } else if (this.#since !== undefined) this.#endedAt ??= at;
  }

  /** @param crossing what was done in one go, in place of the states that it was done for. */
  parts(crossing: MigrationRun['crossing']): readonly BlackoutPart[] {
    const [first] = this.#states;
    const isInOneGo = crossing !== undefined && first !== undefined;
    const begun = isInOneGo ? [first, ...crossing.begun] : this.#states;
    const endedAt = isInOneGo ? crossing.endedAt : this.#endedAt;
    return begun.map(({ state, at }, place) => {
      const until = begun[place + 1]?.at ?? endedAt ?? at;
      return { state, durationMs: rounded(until - at) };
    });
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
    if (this.#since === undefined || this.#endedAt === undefined) return null;
    return destination?.isIn('running') ? rounded(this.#endedAt - this.#since) : null;
  }
}

const rounded = (ms: number) => Math.round(ms * 1000) / 1000;
