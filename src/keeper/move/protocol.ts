/**
 * What two keepers say to each other about a TD that moves. The one that it is to come to asks, and conducts; the one
 * that has it answers. docs/migration.md has it in words. The version is raised where an older one would misread it.
 */

import type {
  GivenBack,
  Asked as HasTd,
  LetGo,
} from '../../../machines/intra-host-migration/index.ts';
import type { StepError } from '../../../machines/step-error.ts';
import type { TdStateId } from '../../../machines/td-lifecycle/index.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type { PassedConsole } from '../../guest/index.ts';
import type { CarriedState } from '../../orchestrator/migration/index.ts';
import type { ApiRange, ProcessIdentity } from '../identity.ts';

/** The protocol that a connection is upgraded to. */
export const moveProtocol = 'tdctl-move';

export const moveRange: ApiRange = { oldest: 1, newest: 2 };

/** From this version on a keeper passes a console that is a socket, and begins the next keeper of its unit. */
export const passesConsoleSince = 2;
export const beginsNextSince = 2;

/** A part of the answer that failed by itself, as the chart of the migration keeps it. */
export type Outcome<Value> = { readonly value: Value } | { readonly failed: StepError };

/** What is asked for, by its name, and what it is answered with. */
export interface MoveQuestions {
  /** Who asks. It comes first, and nothing else is taken before. */
  readonly begin: { readonly arg: Conductor; readonly answer: SourceStands };
  /** What KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM answers to an fd that is not open; null is success. */
  readonly askForMove: { readonly arg: null; readonly answer: { readonly errno: string | null } };
  /** By grants of the shared host that both are on. */
  readonly grant: { readonly arg: { readonly to: number }; readonly answer: Granted };
  /** By fds, which go to the socket of the next keeper: all that can pass as such. */
  readonly pass: { readonly arg: Passing | null; readonly answer: Passed };
  /** All that leads to a source at rest, in one answer: each is done only where the one before it was. */
  readonly quiesce: { readonly arg: { readonly pause: boolean }; readonly answer: Quiesced };
  readonly hasTd: { readonly arg: null; readonly answer: HasTd };
  readonly keep: { readonly arg: null; readonly answer: LetGo };
  readonly resume: { readonly arg: null; readonly answer: null };
  /** Its last word is written, and the directory is the asker's. */
  readonly release: { readonly arg: null; readonly answer: StopAsked };
  /** By an fd too, where somebody is attached; only of a TD that has such a console, and once it was released. */
  readonly console: { readonly arg: null; readonly answer: PassedConsole };
  readonly retire: { readonly arg: null; readonly answer: GivenBack };
  readonly lost: { readonly arg: { readonly error: StepError }; readonly answer: GivenBack };
}

/** What is told, and not answered. The order of all that goes over the connection holds, also where one end has died. */
export interface MoveNews {
  /** The kernel has moved the TD. */
  readonly moved: null;
  /** Somebody types who is still connected to the keeper before. */
  readonly typed: { readonly bytes: Uint8Array };
}

/** Whether somebody has asked for the end of the TD while it was on its way: then it is the next keeper's to do. */
export interface StopAsked {
  readonly stopAsked: boolean;
}

export interface Conductor {
  /** The one that was agreed upon: nothing is said in another. */
  readonly version: number;
  readonly process: ProcessIdentity;
}

/** The TD as it stands before anything is begun. */
export interface SourceStands {
  readonly state: TdStateId;
  readonly mrtd: string | null;
  readonly cgroup: string | null;
  readonly life: number;
  /** What the plans of the two have to agree on. */
  readonly shape: TdShape;
}

export interface TdShape {
  readonly vcpus: number;
  readonly slots: readonly {
    readonly slot: number;
    readonly gpa: bigint;
    readonly sizeBytes: bigint;
  }[];
  readonly predictedMrtd: string;
  readonly kernel: string;
}

export interface Granted {
  readonly tdCpuid: readonly CpuidEntry[];
  readonly vm: string;
  readonly slots: readonly {
    readonly slot: number;
    readonly guestMemory: string;
    readonly memory: string;
  }[];
}

/** Keepers that know of no lane say nothing here, and answer without one. */
export interface Passing {
  /** The asker takes a state that is laid out so. */
  readonly laneLayout: number | undefined;
}

export interface Passed {
  readonly tdCpuid: readonly CpuidEntry[];
  /** What each fd is of, in their order. */
  readonly objects: readonly PassedObject[];
}

export type PassedObject =
  | { readonly kind: 'vm' }
  | { readonly kind: 'guestMemory'; readonly slot: number; readonly sizeBytes: bigint }
  /** Behind a slot, and not private. */
  | { readonly kind: 'memory'; readonly slot: number }
  /** Where the state of a guest comes, beside the connection: only where it was asked for. */
  | { readonly kind: 'lane' };

export interface Quiesced {
  readonly paused: Outcome<null>;
  readonly handedOver: Outcome<null> | null;
  readonly read: Outcome<CarriedState> | null;
  /** The state has gone by the lane instead. */
  readonly byLane?: boolean;
  /** When its last vCPU was parked, on the monotonic clock of this machine; null where that takes no real time. */
  readonly parkedNs: bigint | null;
}

export type MoveQuestion = keyof MoveQuestions;
