/** A TD that another keeper has, as the source of a migration that is conducted from here. */
import type { Asked, GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { TdStateId } from '../../../machines/td-lifecycle/index.ts';
import { type ErrnoName, errnoNumbers } from '../../abi/kvm/errno.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { VmFile } from '../../host/port.ts';
import { toStepError } from '../../orchestrator/index.ts';
import type { CarriedState, MigrationSource, Origin } from '../../orchestrator/migration/index.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { KeeperIdentity } from '../identity.ts';
import { canAct } from '../presence.ts';
import { collectYoung } from './collect.ts';
import { fence } from './fence.ts';
import { type MovePeer, PeerGone } from './peer.ts';
import type { MoveQuestion, MoveQuestions, Outcome, Quiesced, SourceStands } from './protocol.ts';
import type { SourceVm } from './source-vm.ts';

export interface RemoteSourceOptions {
  readonly peer: MovePeer;
  readonly stands: SourceStands;
  /** Who has it. */
  readonly keeper: KeeperIdentity;
  readonly plan: TdPlan;
  readonly now: () => number;
  /** Gets the VM of the source onto this side, before anything stands still. */
  readonly bringVm: () => Promise<SourceVm>;
  /** Takes the directory over: the source has let go of it, or is dead. */
  readonly takeOver: () => Promise<void>;
  /** The source was asked to come to rest, and still runs: what can be done now need not be done after it. */
  readonly onAsked: () => void;
  /** So long may the other keeper take for one answer. */
  readonly patienceMs: number;
}

/** What a step of the source failed with, as its own keeper has it. */
class FailedThere extends Error {
  readonly stepError: StepError;

  constructor(stepError: StepError) {
    super(`the source has failed: ${stepError.step}`);
    this.stepError = stepError;
  }
}

export class RemoteSource implements MigrationSource {
  readonly #options: RemoteSourceOptions;
  #vm: SourceVm | undefined;
  #leftovers: GivenBack['leftovers'] = [];
  #quiesced: Promise<Quiesced> | undefined;
  /** The state, where it came as soon as the source stood still. */
  #came: CarriedState | undefined;
  /** When the last vCPU of the source was parked, on the monotonic clock of the machine. */
  parkedNs: bigint | null = null;
  /** Somebody has asked the keeper before to end the TD, as it was on its way. */
  stopAsked = false;

  constructor(options: RemoteSourceOptions) {
    this.#options = options;
  }

  get state(): TdStateId {
    return this.#options.stands.state;
  }

  get hasRun(): boolean {
    return this.#options.stands.state !== 'runnable';
  }

  get mrtd(): string | null {
    return this.#options.stands.mrtd;
  }

  get plan(): TdPlan {
    return this.#options.plan;
  }

  get cgroup(): string | undefined {
    return this.#options.stands.cgroup ?? undefined;
  }

  get now() {
    return this.#options.now;
  }

  /** They are made in the other process, which tells of them. */
  readonly requests = { take: () => [] };

  async askForMove(): Promise<void> {
    const { errno } = await this.#ask('askForMove', null);
    if (errno === null) return;
    const capability = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM';
    const number = errnoNumbers[errno as ErrnoName];
    throw new KvmError({ request: 'KVM_ENABLE_CAP', capability, errno: number });
  }

  async origin(): Promise<Origin> {
    this.#vm ??= await this.#options.bringVm();
    return this.#vm.origin;
  }

  async vm(): Promise<VmFile> {
    if (this.#vm === undefined) throw new Error('the VM of the source is not on this side yet');
    return this.#vm.vm;
  }

  async pause(): Promise<CarriedState | undefined> {
    const quiesced = this.#quiesce(true);
    this.#came = this.#takeFromLane();
    if (this.#came === undefined) orThrow((await quiesced).paused);
    // What has come here is enough, whatever becomes of the one that it came from.
    else quiesced.catch(() => undefined);
    return this.#came;
  }

  async handOver(): Promise<void> {
    if (this.#came !== undefined) return;
    const { paused, handedOver } = await this.#quiesce(false);
    orThrow(handedOver ?? paused);
  }

  async readState(): Promise<CarriedState> {
    if (this.#came !== undefined) return this.#came;
    const { read, byLane = false } = await this.#quiesce(false);
    const late = byLane ? this.#takeFromLane() : undefined;
    if (late !== undefined) return late;
    if (read === null) throw new Error('the source was not handed over');
    return orThrow(read);
  }

  async hasTd(): Promise<Asked> {
    const { peer } = this.#options;
    try {
      const { hasTd } = await this.#ask('hasTd', null);
      return { hasTd: hasTd && ((await this.#vm?.hasTd()) ?? true) };
    } catch (error) {
      if (!(error instanceof PeerGone)) throw error;
      peer.close();
      // A process takes its VM along, and one that is there looks after its TD by itself.
      return { hasTd: canAct(this.#options.keeper) };
    }
  }

  moved(): void {
    if (this.#came === undefined || this.#vm?.lane?.tellMoved() !== true) {
      this.#options.peer.tell('moved', null);
    }
    void this.#vm?.moved();
  }

  async keep(): Promise<LetGo> {
    return (await this.#unlessGone('keep', null)) ?? { stopped: false };
  }

  async resume(): Promise<void> {
    await this.#unlessGone('resume', null);
  }

  async retire(): Promise<GivenBack> {
    const { keeper, takeOver, peer } = this.#options;
    const released = await this.#unlessGone('release', null);
    this.stopAsked = released?.stopAsked === true;
    // It has nothing any more that anybody could miss, and the directory can have but one owner.
    if (peer.gone !== undefined) await fence(keeper);
    try {
      await takeOver();
    } finally {
      // Its VM is dead, and it need not wait for what could not be written here.
      this.#leftovers = (await this.#unlessGone('retire', null))?.leftovers ?? [];
      await this.#close();
    }
    return { leftovers: this.#leftovers };
  }

  async lost(error: StepError): Promise<GivenBack> {
    const answered = await this.#unlessGone('lost', { error });
    await this.#close();
    return answered ?? { leftovers: [] };
  }

  /** Of a TD that has moved, the one before still hands on what is typed there, and ends the connection then. */
  letGo(how: 'kept' | 'moved'): void {
    if (how === 'kept') this.#options.peer.close();
  }

  /** What is on this side of it goes, where the TD has stayed there. */
  async leave(): Promise<void> {
    this.#options.peer.close();
    await this.#close();
  }

  async stepError(step: string, error: unknown): Promise<StepError> {
    if (error instanceof FailedThere) return error.stepError;
    return toStepError(step, error);
  }

  async #quiesce(pause: boolean): Promise<Quiesced> {
    this.#quiesced ??= this.#askForRest(pause);
    const quiesced = await this.#quiesced;
    this.parkedNs = quiesced.parkedNs;
    return quiesced;
  }

  #takeFromLane(): CarriedState | undefined {
    const packed = this.#vm?.lane?.receive();
    return packed && { guest: {}, notify: undefined, packed };
  }

  #askForRest(pause: boolean): Promise<Quiesced> {
    const quiesced = this.#ask('quiesce', { pause });
    // There is nothing to do here before it is answered.
    if (pause) {
      collectYoung();
      this.#options.onAsked();
    }
    return quiesced;
  }

  /** Undefined where the other side is gone: it knows by itself what to do then. */
  async #unlessGone<What extends MoveQuestion>(
    what: What,
    arg: MoveQuestions[What]['arg'],
  ): Promise<MoveQuestions[What]['answer'] | undefined> {
    try {
      return await this.#ask(what, arg);
    } catch (error) {
      if (error instanceof PeerGone) return undefined;
      throw error;
    }
  }

  #ask<What extends MoveQuestion>(
    what: What,
    arg: MoveQuestions[What]['arg'],
  ): Promise<MoveQuestions[What]['answer']> {
    const { peer, patienceMs } = this.#options;
    return peer.ask(what, arg, { deadlineMs: patienceMs });
  }

  async #close(): Promise<void> {
    await this.#vm?.close();
    this.#vm = undefined;
  }
}

function orThrow<Value>(outcome: Outcome<Value>): Value {
  if ('failed' in outcome) throw new FailedThere(outcome.failed);
  return outcome.value;
}
