/** A session is one TD on one host: its plan, what it holds, and the handles that its steps pass on. */
import type { Finalized } from '../../machines/td-lifecycle/index.ts';
import { requestWith } from '../abi/kvm/requests.ts';
import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type { TdAnswers } from '../guest/index.ts';
import type { Guest, GuestExit, GuestIo } from '../host/guest.ts';
import { observeHost } from '../host/observed.ts';
import type { Observer } from '../host/observer.ts';
import type { GuestMemory, Host, TdxCapabilities, UserMemory, Vcpu, Vm } from '../host/port.ts';
import type { InitialPages, TdPlan } from '../plan/index.ts';
import type { TdEventBody } from './events.ts';
import { Ledger } from './ledger.ts';
import { RequestCounter } from './request-counter.ts';

export interface TdSession {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly ledger: Ledger;
  readonly handles: Handles;
  readonly requests: RequestCounter;
  readonly publish: (body: TdEventBody) => void;
  /** Milliseconds of the clock that events carry. */
  readonly now: () => number;
  readonly aroundStep: AroundStep;
  /** The TD's source, where this session is the destination of a move. */
  readonly origin: Origin | undefined;
  /** Where the console of the guest goes. */
  readonly console: ConsoleListener;
  /** How many exits of the guest came here to be answered, by their kind. */
  readonly exits: Map<GuestExit['kind'], number>;
  /** The step under way has nothing to do on this host. */
  skipped?: boolean;
  /** Is given the state of the guest the moment that it is paused (see Guest.pause). */
  atRest?: ((packed: Uint8Array) => void) | undefined;
  /** The guest was let in before its chart has come to that. */
  entering?: Promise<void> | undefined;
}

/** Runs a step, named by its state. It runs the step once, unless a proof wants it otherwise. */
export type AroundStep = <Output>(state: string, run: () => Promise<Output>) => Promise<Output>;

/** A destination takes these over from its source before the TD moves. */
export interface Origin {
  readonly tdCpuid: readonly CpuidEntry[];
  /** The memory behind each slot that is not private, by slot number. */
  readonly slotMemory: ReadonlyMap<number, UserMemory>;
  /** The private memory. */
  readonly guestMemory: ReadonlyMap<number, GuestMemory>;
}

/** Takes what the guest writes: COM1, and the debug console. */
export type ConsoleListener = Pick<GuestIo, 'console' | 'debugConsole'>;

const nobody: ConsoleListener = { console: () => {}, debugConsole: () => {} };

/**
 * The steps fill these in one by one; a step that reads what an earlier one has not made is a defect. A
 * step that is done again finds here what it has made already, and goes on from there.
 */
export class Handles {
  readonly #made: Partial<HandleTypes> = {};

  set<Name extends keyof HandleTypes>(name: Name, handle: HandleTypes[Name]): void {
    this.#made[name] = handle;
  }

  get<Name extends keyof HandleTypes>(name: Name): HandleTypes[Name] {
    const handle = this.#made[name];
    if (handle === undefined) throw new Error(`no step has made \`${name}\` yet`);
    return handle as HandleTypes[Name];
  }

  /** Gives the value that was made before, or makes a new one and keeps it. */
  grow<Name extends keyof HandleTypes>(
    name: Name,
    empty: () => HandleTypes[Name],
  ): HandleTypes[Name] {
    if (!this.has(name)) this.set(name, empty());
    return this.get(name);
  }

  has(name: keyof HandleTypes): boolean {
    return this.#made[name] !== undefined;
  }
}

interface HandleTypes {
  /** The memory of this process behind each slot, by slot number. */
  readonly slotMemory: ReadonlyMap<number, UserMemory>;
  readonly vm: Vm;
  readonly splitIrqchip: true;
  readonly capabilities: TdxCapabilities;
  readonly supportedCpuid: readonly CpuidEntry[];
  /** Answer to KVM_CAP_MAX_VCPUS on the VM fd. */
  readonly maxVcpus: number;
  /** Set when INIT_VM has succeeded. Whether the TD has a key slot is for the chart to know. */
  readonly tdInitialized: true;
  /** vCPUs in order of creation. The list grows. */
  readonly vcpus: Vcpu[];
  /** Ids of the vCPUs that KVM_TDX_INIT_VCPU was done for. The set grows. */
  readonly initializedVcpus: Set<number>;
  /** CPUID of the TD, as the module gave it. */
  readonly tdCpuid: readonly CpuidEntry[];
  /** Guest memory by memory slot. The map grows. */
  readonly guestMemory: Map<number, GuestMemory>;
  /** Initial pages that are in the TD. The set grows. */
  readonly addedPages: Set<InitialPages>;
  readonly finalized: Finalized;
  readonly guest: Guest;
  /** What the exits of its guest are answered with. */
  readonly answers: TdAnswers;
  /** Set on a destination when the kernel has said that the TD is here. */
  readonly tdReceived: true;
}

export interface SessionOptions {
  readonly host: Host;
  readonly plan: TdPlan;
  readonly publish: (body: TdEventBody) => void;
  readonly now: () => number;
  readonly tellsRequests: boolean;
  readonly aroundStep?: AroundStep | undefined;
  readonly origin?: Origin | undefined;
  readonly console?: ConsoleListener | undefined;
}

/** Every request on the session's host is counted for its step, and published if somebody wants to know. */
export function newSession(options: SessionOptions): TdSession {
  const { plan, publish, now } = options;
  const requests = new RequestCounter();
  const host = observeHost(options.host, observerOf(options, requests));
  return {
    host,
    plan,
    publish,
    now,
    requests,
    aroundStep: options.aroundStep ?? once,
    origin: options.origin,
    console: options.console ?? nobody,
    ledger: new Ledger(),
    handles: new Handles(),
    exits: new Map(),
  };
}

function observerOf(
  { tellsRequests, publish, now }: SessionOptions,
  requests: RequestCounter,
): Observer {
  if (!tellsRequests) {
    return {
      // Nobody is told how long a request took.
      now: () => 0,
      onAnswer: ({ request, capability, answer }) =>
        requests.add(requestWith(request, capability), answer),
    };
  }
  return {
    now,
    onAnswer: ({ request, capability, answer, durationMs }) => {
      const name = requestWith(request, capability);
      requests.add(name, answer);
      publish({ event: 'request.answered', request: name, answer, durationMs });
    },
  };
}

export const once: AroundStep = (_state, run) => run();
