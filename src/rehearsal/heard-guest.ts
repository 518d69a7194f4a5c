/**
 * What a guest says of itself in a rehearsal, where guests run: the example guest counts, checks all that it
 * has in its registers and its memory, and says what it misses. So it is a witness of every move.
 */
import { ExampleGuestJudge, exampleGuestVcpus, hasExampleGuest } from '../guest/index.ts';
import type { ConsoleListener } from '../orchestrator/index.ts';
import type { TdPlan } from '../plan/index.ts';
import { type PatienceOptions, untilStuck } from './patience.ts';

/** How long a guest may stay silent: it counts many times a second, also where its instructions are emulated. */
export type GuestPatience = Pick<PatienceOptions, 'looks' | 'untilNextLook'>;

export class HeardGuest {
  /** Whether this guest is one that says something. */
  readonly speaks: boolean;
  readonly console: ConsoleListener;
  readonly #judge = new ExampleGuestJudge();
  readonly #told = new Set<string>();
  readonly #listening = new Set<(vcpu: number) => void>();

  constructor({ facts, firmware, boot }: TdPlan) {
    this.speaks = facts.kind !== 'sim' && boot === undefined && hasExampleGuest(firmware.bytes);
    this.console = {
      console: (bytes, lostBytes) => this.#hear(bytes, lostBytes),
      debugConsole: () => {},
    };
  }

  /** Listens until each of these vCPUs has counted on, and gives those that do not. */
  async silentVcpus(
    vcpuIds: readonly number[],
    patience: GuestPatience = {},
  ): Promise<readonly number[]> {
    const speaking = vcpuIds.filter((id) => id < exampleGuestVcpus);
    const silent = new Set(speaking);
    const done = new AbortController();
    const heard = new Promise<void>((resolve) => {
      const listen = (vcpu: number) => {
        silent.delete(vcpu);
        if (silent.size === 0) resolve();
      };
      this.#listening.add(listen);
      done.signal.addEventListener('abort', () => this.#listening.delete(listen));
    });
    const progress = () => speaking.length - silent.size;
    const stuck = untilStuck({ ...patience, progress, signal: done.signal }).catch(() => undefined);
    await Promise.race([heard, stuck]);
    done.abort();
    return [...silent];
  }

  /** What is missing of what a guest must keep, in words, and was not told before. */
  newlyMissed(): string[] {
    const found = this.#missed().filter((what) => !this.#told.has(what));
    for (const what of found) this.#told.add(what);
    return found;
  }

  #missed(): string[] {
    const { vcpus, garbled, lostBytes } = this.#judge.verdict();
    const ofVcpus = vcpus.flatMap(({ vcpu, hellos, gaps, repeats, lost }) => [
      ...lost.items.map((what) => `vCPU ${vcpu} lost ${what}`),
      ...gaps.items.map(({ after, before }) => `vCPU ${vcpu} counts ${before} after ${after}`),
      ...repeats.items.map(({ after, before }) => `vCPU ${vcpu} counts ${before} after ${after}`),
      ...(hellos > 1 ? [`vCPU ${vcpu} has started anew`] : []),
    ]);
    const ofLines = garbled.items.map((line) => `a line was garbled: ${JSON.stringify(line)}`);
    return [...ofVcpus, ...ofLines, ...(lostBytes > 0 ? [`${lostBytes} bytes were lost`] : [])];
  }

  #hear(bytes: Uint8Array, lostBytes: number): void {
    for (const line of this.#judge.hear(bytes, lostBytes)) {
      if (line.kind !== 'count') continue;
      for (const tell of this.#listening) tell(line.vcpu);
    }
  }
}
