import type { TdctlError } from '../../errors/index.ts';
import type { Verdict } from '../../plan/fit/index.ts';
import type { Reason, ReasonId } from '../../plan/judge/index.ts';
import type { HostResult, Summary } from './report.ts';

/** Keeps counts, and nothing else of a host. */
export class Tally {
  readonly #verdicts: Record<Verdict, number> = { migrates: 0, fits: 0, unknown: 0, cannot: 0 };
  readonly #reasons: Partial<Record<ReasonId, number>> = {};
  readonly #migrationReasons: Partial<Record<ReasonId, number>> = {};
  #unreadable = 0;
  #room: number | null = 0;
  firstProblem: TdctlError | undefined;

  add(result: HostResult): void {
    if ('problem' in result) {
      this.#unreadable += 1;
      this.firstProblem ??= result.problem;
      return;
    }
    const { verdict, reasons, migrationReasons = [], room } = result.judgement;
    if (verdict !== 'unknown') {
      this.#room = this.#room === null || room.taken === null ? null : this.#room + room.taken;
    }
    this.#verdicts[verdict] += 1;
    countEach(this.#reasons, reasons);
    countEach(this.#migrationReasons, migrationReasons);
  }

  summary(): Summary {
    const judged = Object.values(this.#verdicts).reduce((sum, hosts) => sum + hosts, 0);
    return {
      hosts: judged + this.#unreadable,
      judged,
      unreadable: this.#unreadable,
      verdicts: this.#verdicts,
      room: this.#room,
      reasons: this.#reasons,
      migrationReasons: this.#migrationReasons,
    };
  }
}

function countEach(counts: Partial<Record<ReasonId, number>>, reasons: readonly Reason[]): void {
  for (const id of new Set(reasons.map((reason) => reason.id))) counts[id] = (counts[id] ?? 0) + 1;
}
