/**
 * Lets the steps of a simulated run go on one by one, at a speed that a person can follow. The machine's
 * own clock does not see it: simulated times stay what they are.
 */
import type { AroundStep } from '../orchestrator/index.ts';
import type { Pace } from './messages.ts';

export class Pacer {
  /** The steps of all VMs that wait for their turn, in the order in which they came. */
  readonly #waiting: (() => void)[] = [];
  #pace: Pace;
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;
  readonly #onChange: (pace: Pace) => void;

  constructor(pace: Pace, onChange: (pace: Pace) => void = () => undefined) {
    this.#pace = pace;
    this.#onChange = onChange;
  }

  get pace(): Pace {
    return this.#pace;
  }

  readonly aroundStep: AroundStep = async (_state, run) => {
    await this.#turn();
    return run();
  };

  change(pace: Partial<Pace>): void {
    this.#pace = { ...this.#pace, ...pace };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#goOn();
    this.#onChange(this.#pace);
  }

  /** Lets one step go on, even while the run is paused. */
  step(): void {
    this.#waiting.shift()?.();
  }

  /** Everything goes on as fast as it can, and no one can hold it any more. */
  release(): void {
    this.#isReleased = true;
    clearTimeout(this.#timer);
    for (const goOn of this.#waiting.splice(0)) goOn();
  }

  async #turn(): Promise<void> {
    if (this.#isReleased) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#goOn();
    });
  }

  #goOn(): void {
    const { paused, stepsPerSecond } = this.#pace;
    if (paused || this.#waiting.length === 0 || this.#timer !== undefined) return;
    if (stepsPerSecond === null) {
      for (const goOn of this.#waiting.splice(0)) goOn();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.step();
      this.#goOn();
    }, 1000 / stepsPerSecond);
  }
}
