/**
 * The keeper that has a TD, while another conducts its move: it answers what is asked, and where nobody asks any more
 * it asks its own VM who has the TD, and acts by that alone.
 */
import type { GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { ConsoleSocket } from '../../guest/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Host } from '../../host/port.ts';
import type { TdRun } from '../../orchestrator/index.ts';
import { LocalSource } from '../../orchestrator/migration/index.ts';
import type { ProcessIdentity } from '../identity.ts';
import type { MoveRecord } from '../journal/records.ts';
import type { Life } from '../life.ts';
import { canAct } from '../presence.ts';
import { passConsole } from './console.ts';
import { Gate } from './gate.ts';
import { grantTo, passTo } from './granting.ts';
import type { Lane } from './lane.ts';
import { Overseer } from './overseer.ts';
import { MovePeer } from './peer.ts';
import type { Conductor, MoveQuestion, MoveQuestions, Quiesced } from './protocol.ts';
import { shapeOf } from './shape.ts';
import { toRest } from './to-rest.ts';
import { warmUp } from './warm-up.ts';

/** The directory of the TD, as its keeper has it that another is to follow. */
export interface LeftDirectory {
  /** Lets go of it, once the last word is written. */
  release(): void;
  /** Where fds are passed to the next keeper. */
  readonly nextSocket: string;
  /** Removes what a process has left that was to be the next keeper, and has died. */
  clearNext(next: ProcessIdentity): void;
}

export interface GivingOptions {
  readonly run: TdRun;
  /** As it was opened, and not as its run observes it. */
  readonly host: Host;
  readonly life: Life;
  readonly directory: LeftDirectory;
  /** Where its console is a socket of its own. */
  readonly consoleSocket: () => ConsoleSocket | undefined;
  /** So long may the other keeper say nothing while it has the TD in its hands. */
  readonly patienceMs: number;
  /** The connection is over, and so is the move as far as this side goes. */
  readonly onOver: () => void;
}

type Answers = {
  readonly [What in MoveQuestion]: (
    arg: MoveQuestions[What]['arg'],
  ) => Promise<MoveQuestions[What]['answer']>;
};

type Stage = 'asking' | 'quiesced' | 'released' | 'retired' | 'lost';

export class Giving {
  readonly #options: GivingOptions;
  readonly #source: LocalSource;
  readonly #peer: MovePeer;
  /** It was paused for the move, and has to run again where it stays. */
  #owesResume = false;
  #conductor: ProcessIdentity | undefined;
  #stage: Stage = 'asking';
  /** What was asked last, until it is done. */
  #underWay: Promise<unknown> | undefined;
  /** Begun where a guest runs, and over before it stands still. */
  #warm: Promise<void> | undefined;
  /** The other side has said that the TD is there. */
  #hasMoved = false;
  /** While the TD is in the hands of the other side, that has to say something now and then. */
  #overseer: Overseer | undefined;
  /** Where the state of a guest goes as it comes to rest. */
  #lane: Lane | undefined;
  /** Closed while it stands still for the move. */
  readonly #gate = new Gate();

  constructor(socket: ConstructorParameters<typeof MovePeer>[0], options: GivingOptions) {
    this.#options = options;
    this.#source = new LocalSource(options.run);
    this.#peer = new MovePeer(socket, {
      asked: (what, arg) => this.#answer(what, arg),
      told: () => {
        this.#hasMoved = true;
      },
      ended: () => void this.#leftAlone(),
    });
  }

  /** Another keeper has the TD. */
  get hasLeft(): boolean {
    return this.#stage === 'released' || this.#stage === 'retired';
  }

  /** Resolves once nothing of the move stands between the TD and whoever asks it for something. */
  async settled(): Promise<void> {
    await this.#gate.passed();
  }

  /** @returns how many bytes were taken; undefined where the guest here is to have them. */
  typed(bytes: Uint8Array): number | undefined {
    if (this.hasLeft) {
      this.#peer.tell('typed', { bytes });
      return bytes.length;
    }
    // What the guest has not read as it is paused would not go with it.
    return this.#stage === 'quiesced' ? 0 : undefined;
  }

  /** Resolves once nobody is connected any more, whose TD it may still be. */
  async end(): Promise<void> {
    this.#peer.close();
  }

  async #answer(what: MoveQuestion, arg: unknown): Promise<unknown> {
    if (this.#conductor === undefined && what !== 'begin') throw new Error('begin comes first');
    this.#overseer?.heard();
    const answer = this.#answers[what] as (arg: unknown) => Promise<unknown>;
    const answering = answer(arg);
    this.#underWay = answering.catch(() => undefined);
    return await answering;
  }

  readonly #answers: Answers = {
    begin: async ({ process }: Conductor) => {
      this.#conductor = process;
      this.#overseer = new Overseer({
        keeper: process,
        patienceMs: this.#options.patienceMs,
        isHere: async () => this.#stage === 'quiesced' && (await this.#hasTd()).hasTd,
        onEnded: () => this.#peer.close(),
      });
      this.#note('asked', { flush: true });
      this.#warm = warmUp(this.#source.plan).catch(() => undefined);
      const { state, mrtd, plan, cgroup = null } = this.#source;
      return { state, mrtd, cgroup, life: this.#options.life.number, shape: shapeOf(plan) };
    },
    askForMove: async () => {
      try {
        await this.#source.askForMove();
        return { errno: null };
      } catch (error) {
        if (!(error instanceof KvmError)) throw error;
        return { errno: error.code };
      }
    },
    grant: ({ to }) => grantTo(to, this.#options.host, this.#options.run),
    pass: async (wanted) => {
      const { host, run, directory } = this.#options;
      await this.#warm;
      const passed = await passTo({ socketPath: directory.nextSocket, host, run, wanted });
      this.#lane = passed.lane;
      return passed.answer;
    },
    quiesce: ({ pause }) => this.#quiesce(pause),
    hasTd: () => this.#hasTd(),
    keep: async () => {
      const letGo = await this.#keep();
      this.#note('kept');
      if (letGo.stopped || !this.#owesResume) this.#gate.open();
      return letGo;
    },
    resume: async () => {
      await this.#source.resume();
      this.#owesResume = false;
      this.#gate.open();
      return null;
    },
    release: async () => {
      this.#stage = 'released';
      this.#overseer?.end();
      this.#note('left');
      this.#options.life.cede();
      const stopAsked = this.#options.run.state === 'migratingOut.stopRequested';
      this.#options.directory.release();
      this.#gate.open();
      return { stopAsked };
    },
    console: async () => {
      const { consoleSocket, directory } = this.#options;
      const console = consoleSocket();
      if (console === undefined) throw new Error('its console is no socket');
      return await passConsole(console, directory.nextSocket);
    },
    retire: () => this.#retire(),
    lost: ({ error }) => this.#lost(error),
  };

  async #quiesce(pause: boolean): Promise<Quiesced> {
    const { life } = this.#options;
    life.hold();
    try {
      return await this.#toRest(pause);
    } finally {
      // Once the answer is on its way.
      setImmediate(() => life.goOn());
    }
  }

  async #toRest(pause: boolean): Promise<Quiesced> {
    this.#stage = 'quiesced';
    this.#gate.close();
    this.#overseer?.begin();
    this.#owesResume = pause;
    return await toRest({
      ...{ source: this.#source, run: this.#options.run, pause, lane: this.#lane },
      onNothingByLane: () => void this.#closeLane(),
    });
  }

  /** Where each process simulates the machine, only the other side knows that the TD has left. */
  async #hasTd() {
    this.#hasMoved ||= this.#lane?.hasMoved === true;
    return this.#hasMoved ? { hasTd: false } : await this.#source.hasTd();
  }

  async #keep(): Promise<LetGo> {
    const letGo = await this.#source.keep();
    this.#stage = 'asking';
    this.#overseer?.end();
    return letGo;
  }

  async #retire(): Promise<GivenBack> {
    this.#stage = 'retired';
    this.#overseer?.end();
    return await this.#source.retire();
  }

  async #lost(error: StepError): Promise<GivenBack> {
    this.#stage = 'lost';
    this.#overseer?.end();
    this.#note('lost', { why: 'message' in error ? error.message : null });
    return await this.#source.lost(error);
  }

  async #closeLane(): Promise<void> {
    await this.#lane?.close();
    this.#lane = undefined;
  }

  /** The connection is gone: by its end, by the death of the other side, or because it is let go of. */
  async #leftAlone(): Promise<void> {
    this.#overseer?.end();
    try {
      // A question may have come right before the end. What it brings about has to be over before that is undone.
      await this.#underWay;
      await this.#settle();
    } finally {
      this.#gate.open();
      await this.#closeLane();
      this.#options.onOver();
    }
  }

  async #settle(): Promise<void> {
    const { run, directory } = this.#options;
    if (this.#stage === 'retired' || this.#stage === 'lost') return;
    if (this.#stage === 'released') {
      await this.#retire();
      return;
    }
    const { hasTd } = await this.#hasTd();
    if (hasTd) {
      const isHeld = run.isIn('migratingOut');
      const { stopped } = isHeld ? await this.#keep() : { stopped: false };
      if (isHeld) this.#note('kept', { why: 'the other keeper has gone' });
      if (this.#conductor && !canAct(this.#conductor)) directory.clearNext(this.#conductor);
      if (!stopped && this.#owesResume && run.isIn('paused')) await this.#source.resume();
      return;
    }
    // A next keeper that has the TD asks for the directory before it ends the connection: this one has died with it.
    await this.#lost(lostWith(this.#conductor, run.session.plan.spec.name));
  }

  #note(
    stage: MoveRecord['stage'],
    { why = null, flush = false }: { readonly why?: string | null; readonly flush?: boolean } = {},
  ): void {
    const { pid = 0, tdctl = '' } = this.#conductor ?? {};
    const other = { pid, tdctl };
    this.#options.life.journaling.note(
      { kind: 'move', stage, other, blackoutMs: null, why },
      { flush },
    );
  }
}

function lostWith(next: ProcessIdentity | undefined, name: string): StepError {
  return {
    step: 'migratingOut',
    code: 'TDCTL_E_TD_LOST',
    message: `the TD ${name} had moved to its next keeper, process ${next?.pid}, when that died, and the kernel takes a TD down with the process that has its VM`,
    hint: 'begin it anew: `tdctl start`; nothing of it is left',
  };
}
