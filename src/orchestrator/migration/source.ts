/**
 * The source of a migration, as the one who conducts it has it: a TD of this process, or one that another keeper
 * has. The chart asks one thing of it in each of its states.
 */
import type { Asked, GivenBack, LetGo } from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { TdStateId } from '../../../machines/td-lifecycle/index.ts';
import type { EventNotify } from '../../guest/index.ts';
import type { GuestState } from '../../host/guest.ts';
import type { VmFile } from '../../host/port.ts';
import type { TdPlan } from '../../plan/index.ts';
import type { RequestCount } from '../events.ts';
import type { ConsoleListener, Origin } from '../session.ts';

export interface MigrationSource {
  /** Dotted, as it is known here at this moment. */
  readonly state: TdStateId;
  readonly mrtd: string | null;
  /** Whether its vCPUs were ever entered, once it is handed over. */
  readonly hasRun: boolean;
  readonly plan: TdPlan;
  /** The misc cgroup that the TD is charged to, where its host has several. */
  readonly cgroup: string | undefined;
  /** Milliseconds of the clock that the events of the migration carry. */
  readonly now: () => number;
  /** Where the console of the guest goes, if the destination's goes there too. */
  readonly console?: ConsoleListener | undefined;
  /** Requests that were made of the source since they were last taken. */
  readonly requests: { take(): readonly RequestCount[] };

  /**
   * KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM with an fd that is not open, asked of the source's own VM.
   * @throws KvmError always, or else the kernel has answered success.
   */
  askForMove(): Promise<void>;
  /** What a destination shares with it, as the destination's process can use it. */
  origin(): Promise<Origin>;
  /** Its VM, which the destination's names as the source of the move. */
  vm(): Promise<VmFile>;

  /**
   * No vCPU is inside KVM_RUN. @returns what {@link readState} gives, where that came at the same moment: the source is
   * handed over then. @throws where the TD does not come there.
   */
  pause(): Promise<CarriedState | undefined>;
  /** From now on the migration alone says what comes of it. */
  handOver(): Promise<void>;
  readState(): Promise<CarriedState>;
  /** Whether it lives, by a question that changes nothing. */
  hasTd(): Promise<Asked>;
  /** The kernel has moved its TD. */
  moved(): void;
  /** Let go: it still has its TD. A pause that was under way ends first. */
  keep(): Promise<LetGo>;
  resume(): Promise<void>;
  /** Its TD is in the destination now: what is left of it is closed. */
  retire(): Promise<GivenBack>;
  /** Its TD is in neither VM any more. */
  lost(error: StepError): Promise<GivenBack>;
  /** The migration is over, whatever came of it, and nobody holds the source any more. */
  letGo(how: 'kept' | 'moved'): void;
  /** What a step has thrown that asked it for something. */
  stepError(step: string, error: unknown): Promise<StepError>;
}

/** What user space carries of a guest. */
export interface CarriedState {
  readonly guest: GuestState;
  /** How the guest wants to be told of an event by the VMM (TDG.VP.VMCALL<SetupEventNotifyInterrupt>). */
  readonly notify: EventNotify | undefined;
  /** In place of `guest`: for Guest.takePacked. */
  readonly packed?: Uint8Array | undefined;
}
