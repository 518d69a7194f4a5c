/**
 * What a guest says of itself in a rehearsal, where guests run: the example guest counts, checks all that it
 * has in its registers and its memory, and says what it misses. So it is a witness of every move.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ExampleGuestJudge, hasExampleGuest } from '../guest/index.ts';
import type { ConsoleListener } from '../orchestrator/index.ts';
import type { TdPlan } from '../plan/index.ts';

/** A guest that counts says something many times a second, also where its instructions are emulated. */
const longestSilenceMs = 10_000;

export class HeardGuest {
  /** Whether this guest is one that says something. */
  readonly speaks: boolean;
  readonly console: ConsoleListener;
  readonly #judge = new ExampleGuestJudge();
  #counts = 0;
  #waiting: (() => void)[] = [];

  constructor({ facts, firmware, boot }: TdPlan) {
    this.speaks = facts.kind !== 'sim' && boot === undefined && hasExampleGuest(firmware.bytes);
    this.console = {
      console: (bytes, lostBytes) => this.#hear(bytes, lostBytes),
      debugConsole: () => {},
    };
  }

  /** Resolves with true once the guest has counted on, and with false where it stays silent. */
  async countsOn(): Promise<boolean> {
    const heard = new Promise<void>((resolve) => this.#waiting.push(resolve));
    const tooLong = new AbortController();
    const silence = delay(longestSilenceMs, 'silent', { signal: tooLong.signal }).catch(() => '');
    const came = await Promise.race([heard, silence]);
    tooLong.abort();
    return came !== 'silent';
  }

  /** What is missing of what a guest must keep, in words; nothing where nothing is. */
  missed(): string[] {
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
    const lines = this.#judge.hear(bytes, lostBytes);
    const counts = lines.filter(({ kind }) => kind === 'count').length;
    if (counts === 0) return;
    this.#counts += counts;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell();
  }

  /** How many counts were heard. */
  get counts(): number {
    return this.#counts;
  }
}
