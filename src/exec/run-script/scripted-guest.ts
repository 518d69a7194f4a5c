/** Plays a run script for each guest, and for each of its vCPUs by itself. */
import type {
  GuestEvent,
  GuestScript,
  RunningVcpu,
  TdVmCallAnswer,
} from '../../simulator/index.ts';
import { type Expectation, expectationOf } from './expectation.ts';
import { guestEvent, type SingleAction } from './guest-event.ts';
import type { GuestAction, RunScript, ScriptStep, VcpuProgram } from './run-script.ts';

/** What a step expected of the VMM, and what it got. A step that was repeated is judged as a whole. */
export interface StepResult {
  /** Guests have the numbers 1, 2, … in the order of their first entry. */
  readonly guest: number;
  readonly vcpu: number;
  /** The name of the step, such as `in`. */
  readonly step: string;
  /** Where the step stands: `file:line:col`. */
  readonly place: string;
  readonly expected: string;
  /** The answer of the first time that it was not met, else of the last; undefined where none came. */
  readonly got: string | undefined;
  readonly met: boolean;
  readonly times: number;
}

export interface UnreachedStep {
  /** Undefined where no guest was entered at all. */
  readonly guest: number | undefined;
  readonly vcpu: number | 'others';
  readonly step: string;
  readonly place: string;
}

export class ScriptedGuest implements GuestScript {
  readonly #script: RunScript;
  /** The guests by the identity that the machine gives them. */
  readonly #guests = new Map<number, Map<number, VcpuPlayer>>();

  constructor(script: RunScript) {
    this.#script = script;
  }

  run(vcpu: RunningVcpu): GuestEvent | Promise<GuestEvent> {
    const players = this.#guests.get(vcpu.guest) ?? new Map<number, VcpuPlayer>();
    this.#guests.set(vcpu.guest, players);
    const player = players.get(vcpu.vcpuId) ?? new VcpuPlayer(this.#programOf(vcpu.vcpuId));
    players.set(vcpu.vcpuId, player);
    return player.enter(vcpu);
  }

  /** All expectations that were put to the test, in the order of guests, vCPUs and steps. */
  results(): StepResult[] {
    return [...this.#guests.values()].flatMap((players, index) =>
      [...players].flatMap(([vcpu, player]) =>
        player.results().map((result) => ({ guest: index + 1, vcpu, ...result })),
      ),
    );
  }

  /** The steps that no vCPU has reached, of all those that should have. */
  unreached(): UnreachedStep[] {
    const guests = [...this.#guests.values()];
    if (guests.length === 0) return this.#unreachedBy(new Map(), undefined);
    return guests.flatMap((players, index) => this.#unreachedBy(players, index + 1));
  }

  #programOf(vcpuId: number): VcpuProgram | undefined {
    const { programs } = this.#script;
    return (
      programs.find(({ vcpus }) => vcpus !== 'others' && vcpus.includes(vcpuId)) ??
      programs.find(({ vcpus }) => vcpus === 'others')
    );
  }

  #unreachedBy(
    players: ReadonlyMap<number, VcpuPlayer>,
    guest: number | undefined,
  ): UnreachedStep[] {
    return this.#script.programs.flatMap((program) => {
      const wanted = program.vcpus === 'others' ? (['others'] as const) : program.vcpus;
      return wanted.flatMap((vcpu) => {
        const mine = [...players].filter(([id, player]) =>
          vcpu === 'others' ? player.program === program : id === vcpu,
        );
        return allSteps(program.steps)
          .filter((step) => !mine.some(([, player]) => player.reached.has(step)))
          .map(({ place, action }) => ({ guest, vcpu, step: action.do, place }));
      });
    });
  }
}

interface Judged {
  readonly step: ScriptStep;
  readonly expectation: Expectation;
  got: string | undefined;
  met: boolean;
  times: number;
}

/** One vCPU of one guest, and where it is in its program. */
class VcpuPlayer {
  readonly program: VcpuProgram | undefined;
  readonly reached = new Set<ScriptStep>();
  #steps: Iterator<ScriptStep>;
  readonly #judged = new Map<ScriptStep, Judged>();
  /** The expectation that was put last, and has no answer yet. */
  #awaited: Judged | undefined;

  constructor(program: VcpuProgram | undefined) {
    this.program = program;
    this.#steps = unrolled(program?.steps ?? []);
  }

  enter({ tdvmcall, sharedBit = 0n }: RunningVcpu): GuestEvent | Promise<GuestEvent> {
    this.#judge(tdvmcall);
    const step = this.#next();
    if (step === undefined) return untilInterrupted();
    this.#await(step);
    const { action } = step;
    return isSingle(action) ? guestEvent(action, sharedBit) : untilInterrupted();
  }

  #next(): ScriptStep | undefined {
    const { value: step } = this.#steps.next();
    if (step !== undefined || this.program?.repeats === undefined) return step;
    this.#steps = unrolled(this.program.steps);
    return this.#steps.next().value;
  }

  results(): Omit<StepResult, 'guest' | 'vcpu'>[] {
    return [...this.#judged.values()].map(({ step, expectation, got, met, times }) => ({
      step: step.action.do,
      place: step.place,
      expected: expectation.expected,
      got,
      met,
      times,
    }));
  }

  #await(step: ScriptStep): void {
    this.reached.add(step);
    const expectation = expectationOf(step.action);
    if (expectation === undefined) return;
    const fresh = { step, expectation, got: undefined, met: true, times: 0 };
    const judged = this.#judged.get(step) ?? fresh;
    this.#judged.set(step, judged);
    this.#awaited = judged;
    // It counts as not met until the answer comes, for a VMM that never enters again has not given one.
    if (judged.met) [judged.got, judged.met] = [undefined, false];
    else this.#awaited = undefined;
    judged.times += 1;
  }

  #judge(answer: TdVmCallAnswer | undefined): void {
    const judged = this.#awaited;
    this.#awaited = undefined;
    if (judged === undefined || answer === undefined) return;
    Object.assign(judged, judged.expectation.judge(answer));
  }
}

function isSingle(action: GuestAction): action is SingleAction {
  return action.do !== 'hold' && action.do !== 'repeat';
}

/** An interrupt ends KVM_RUN with EINTR, and what comes of this promise then interests nobody. */
function untilInterrupted(): Promise<GuestEvent> {
  return new Promise(() => {});
}

function* unrolled(steps: readonly ScriptStep[]): Generator<ScriptStep> {
  for (const step of steps) {
    const { action } = step;
    if (action.do !== 'repeat') {
      yield step;
      continue;
    }
    for (let time = 0; time < action.times; time++) yield* unrolled(action.steps);
  }
}

function allSteps(steps: readonly ScriptStep[]): ScriptStep[] {
  return steps.flatMap((step) =>
    step.action.do === 'repeat' ? allSteps(step.action.steps) : [step],
  );
}
