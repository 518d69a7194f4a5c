/** A TD of this process as the source of a migration. */
import type { Asked, GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { TdStateId } from '../../../machines/td-lifecycle/index.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Vm } from '../../host/port.ts';
import { notifyOf } from '../answers.ts';
import { guestOf } from '../guest.ts';
import type { Origin } from '../session.ts';
import { stepErrorIn } from '../step-error.ts';
import type { TdRun } from '../td-run.ts';
import { ask, reach } from './ask.ts';
import type { CarriedState, MigrationSource } from './source.ts';

export class LocalSource implements MigrationSource {
  readonly run: TdRun;
  hasRun = true;

  constructor(run: TdRun) {
    this.run = run;
  }

  get state(): TdStateId {
    return this.run.state;
  }

  get mrtd(): string | null {
    return this.run.context.mrtd;
  }

  get plan() {
    return this.run.session.plan;
  }

  get cgroup(): string | undefined {
    return this.run.session.host.cgroup;
  }

  get now() {
    return this.run.session.now;
  }

  get console() {
    return this.run.session.console;
  }

  get requests() {
    return this.run.session.requests;
  }

  askForMove(): Promise<void> {
    return this.#vm.moveEncContextFrom({ source: undefined });
  }

  async origin(): Promise<Origin> {
    const { handles } = this.run.session;
    return {
      tdCpuid: handles.get('tdCpuid'),
      slotMemory: handles.get('slotMemory'),
      guestMemory: handles.get('guestMemory'),
    };
  }

  async vm(): Promise<Vm> {
    return this.#vm;
  }

  /** @param atRest is given all of its state, the moment that it stands still, where that can be had so. */
  async pause(atRest?: (packed: Uint8Array) => void): Promise<undefined> {
    const { session } = this.run;
    session.atRest =
      atRest &&
      ((packed) => {
        if (notifyOf(session) === undefined) atRest(packed);
      });
    try {
      await ask(this.run, { event: { type: 'td.pause' }, leadsTo: 'paused' });
    } finally {
      session.atRest = undefined;
    }
  }

  handOver(): Promise<void> {
    this.hasRun = this.run.state !== 'runnable';
    return ask(this.run, { event: { type: 'td.handOver' }, leadsTo: 'migratingOut' });
  }

  async readState(): Promise<CarriedState> {
    const { session } = this.run;
    const guest = await guestOf(session);
    return { guest: await guest.getState(), notify: notifyOf(session) };
  }

  /** A dead VM answers EIO to everything, so any harmless request tells whether the source lives. */
  async hasTd(): Promise<Asked> {
    try {
      await this.#vm.checkExtension('KVM_CAP_MAX_VCPUS');
      return { hasTd: true };
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      // EIO means that the source is dead. EBADF means that its fd is closed, so its process has gone. A
      // VM that has another reason to refuse lives: taking that for dead would give up a TD that is still
      // there.
      return { hasTd: error.code !== 'EIO' && error.code !== 'EBADF' };
    }
  }

  moved(): void {}

  /** A pause that never began leaves the TD running. */
  async keep(): Promise<LetGo> {
    const stopped = this.run.state === 'migratingOut.stopRequested';
    this.run.send(this.#kept);
    if (stopped) await this.run.ended;
    else await reach(this.run, 'paused', 'runnable', 'running');
    return { stopped };
  }

  resume(): Promise<void> {
    return ask(this.run, { event: { type: 'td.resume' }, leadsTo: 'running' });
  }

  async retire(): Promise<GivenBack> {
    this.run.send({ type: 'td.moved' });
    return this.#takeDown();
  }

  async lost(error: StepError): Promise<GivenBack> {
    this.run.send({ type: 'td.lost', error });
    return this.#takeDown();
  }

  letGo(how: 'kept' | 'moved'): void {
    this.run.send(how === 'kept' ? this.#kept : { type: 'td.moved' });
  }

  stepError(step: string, error: unknown): Promise<StepError> {
    return stepErrorIn(this.run.session, step, error);
  }

  async #takeDown(): Promise<GivenBack> {
    this.run.stop();
    const { leftovers } = await this.run.ended;
    return { leftovers };
  }

  get #kept() {
    return { type: 'td.keep', hasRun: this.hasRun } as const;
  }

  get #vm(): Vm {
    return this.run.session.handles.get('vm');
  }
}
