/** Our own kvm host on a simulated machine: the built tdctl under supervision, with faults from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadAddon } from '../../../native/index.ts';
import { type CallListener, type ExecutedCommand, execute } from '../../../src/exec/index.ts';
import { openSimulatedMachine } from '../../../src/host/simulated/index.ts';
import {
  type DisturbedMachine,
  type FaultInjector,
  type FaultRecord,
  injectorOf,
  type RecordedFaults,
  type SimulatedMachine,
  type TraceEvent,
} from '../../../src/simulator/index.ts';
import { builtModule } from '../../support/built.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SupervisedOutcome extends Outcome {
  readonly trace: readonly TraceEvent[];
  /** What is open or taken after the command, though its process lives on. */
  readonly left: readonly string[];
  /** The command never came to the fault. */
  readonly unmet: boolean;
}

const nobodyListens: CallListener = {
  opened: () => undefined,
  called: () => undefined,
  closed: () => undefined,
  unserved: () => undefined,
};

/** How long the last closes of a command may take to be heard of. */
const closesWithinMs = 10_000;

/** A machine that has lost key slots is replaced by a new one, as by a restart. */
export class SupervisedHost {
  readonly #kernelAbi: string;
  #now: Supervised;

  private constructor(kernelAbi: string, now: Supervised) {
    this.#kernelAbi = kernelAbi;
    this.#now = now;
  }

  /** @throws TdctlError that says why no program can be supervised here. */
  static async start(kernelAbi: string): Promise<SupervisedHost> {
    return new SupervisedHost(kernelAbi, await Supervised.start(kernelAbi));
  }

  async run(args: readonly string[], fault?: FaultRecord): Promise<SupervisedOutcome> {
    const outcome = await this.#now.run(args, fault);
    if (this.#now.hasLostKeySlots) {
      await this.#now.end();
      this.#now = await Supervised.start(this.#kernelAbi);
    }
    return outcome;
  }

  end(): Promise<void> {
    return this.#now.end();
  }
}

/** One program on one machine. A process can supervise one at a time. */
class Supervised {
  readonly #machine: SimulatedMachine;
  readonly #running: ExecutedCommand;
  readonly #lines: AsyncIterator<string>;
  readonly #socket: Socket;
  readonly #faults: SwitchedFaults;

  private constructor(parts: {
    readonly machine: SimulatedMachine;
    readonly running: ExecutedCommand;
    readonly socket: Socket;
    readonly faults: SwitchedFaults;
  }) {
    this.#machine = parts.machine;
    this.#running = parts.running;
    this.#socket = parts.socket;
    this.#faults = parts.faults;
    this.#lines = createInterface({ input: parts.socket })[Symbol.asyncIterator]();
  }

  static async start(kernelAbi: string): Promise<Supervised> {
    const native = loadAddon();
    if (!native.available) throw new Error('the native addon is not built');
    const directory = mkdtempSync(join(tmpdir(), 'tdctl-own-host-'));
    const path = join(directory, 'socket');
    const server = createServer();
    try {
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const faults = new SwitchedFaults();
      const machine = openSimulatedMachine({ kernelAbi, faults });
      faults.disturbances = new Disturbances(machine);
      const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
      const running = execute({
        command: [process.execPath, join(import.meta.dirname, 'inner.mjs'), builtModule('.'), path],
        machine,
        supervisor: native.addon.Supervisor,
        listener: nobodyListens,
        hears: 'all',
      });
      const socket = await Promise.race([connected, running.exited.then(endedEarly)]);
      return new Supervised({ machine, running, socket, faults });
    } finally {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  async run(args: readonly string[], fault?: FaultRecord): Promise<SupervisedOutcome> {
    const before = this.#machine.snapshot().keySlots;
    const trace: TraceEvent[] = [];
    const stop = this.#machine.listen((event) => trace.push(event));
    const faults = injectorOf(fault === undefined ? [] : [fault]);
    this.#faults.now = faults;
    this.#socket.write(`${JSON.stringify(args)}\n`);
    const line = await Promise.race([
      this.#lines.next().then(({ value }) => value as string),
      this.#running.exited.then(endedEarly),
    ]);
    const { files, ...outcome } = JSON.parse(line) as Outcome & { files: string[] };
    const open = () => this.#running.openFiles().map(({ name }) => name);
    const until = Date.now() + closesWithinMs;
    while (open().length > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    this.#faults.now = undefined;
    stop();
    this.#faults.disturbances?.end();
    const after = this.#machine.snapshot().keySlots;
    // A leaf that is made to fail may keep a key slot for good, on every host.
    const isLeafFault = fault !== undefined && 'answer' in fault;
    const taken = before.free - after.free - (isLeafFault ? after.leaked - before.leaked : 0);
    const left = [...open(), ...files, ...(taken === 0 ? [] : [`${taken} key slots`])];
    return { ...outcome, trace, left, unmet: faults.unmet().length > 0 };
  }

  /** For good: a slot that a leaf has kept, or its charge, which kernels leave behind that move a TD. */
  get hasLostKeySlots(): boolean {
    const { keySlots, cgroups } = this.#machine.snapshot();
    return keySlots.leaked > 0 || cgroups.some(({ usage }) => usage > 0);
  }

  async end(): Promise<void> {
    this.#socket.end();
    this.#running.endAll();
    await this.#running.ended;
  }
}

/** The machine keeps its injector for good; a fault is for one command. */
class SwitchedFaults implements FaultInjector {
  now: RecordedFaults | undefined;
  disturbances: Disturbances | undefined;

  beforeIoctl(...[request, machine]: Asked<'beforeIoctl'>) {
    return this.now?.beforeIoctl?.(request, this.disturbances ?? machine);
  }

  errnoAt(...asked: Asked<'errnoAt'>) {
    return this.now?.errnoAt?.(...asked);
  }

  statusOf(...asked: Asked<'statusOf'>) {
    return this.now?.statusOf?.(...asked);
  }

  signalBeforePage(...asked: Asked<'signalBeforePage'>) {
    return this.now?.signalBeforePage?.(...asked) ?? false;
  }
}

/** What others do to the machine during a command, undone after it: the next finds the machine as it was. */
class Disturbances implements DisturbedMachine {
  readonly #machine: DisturbedMachine;
  readonly #limitedCgroups = new Set<string>();
  #foreignTds = 0;

  constructor(machine: DisturbedMachine) {
    this.#machine = machine;
  }

  setLastPackageOnline(online: boolean): boolean {
    return this.#machine.setLastPackageOnline(online);
  }

  changeForeignTds(change: number): number {
    const done = this.#machine.changeForeignTds(change);
    this.#foreignTds += Math.sign(change) * done;
    return done;
  }

  setCgroupMax(options: { readonly path: string; readonly max: number }): void {
    this.#limitedCgroups.add(options.path);
    this.#machine.setCgroupMax(options);
  }

  end(): void {
    this.#machine.changeForeignTds(-this.#foreignTds);
    this.#foreignTds = 0;
    for (const path of this.#limitedCgroups) this.#machine.setCgroupMax({ path, max: Infinity });
    this.#limitedCgroups.clear();
    this.#machine.setLastPackageOnline(true);
  }
}

type Asked<Name extends keyof FaultInjector> = Parameters<NonNullable<FaultInjector[Name]>>;

function endedEarly(): never {
  throw new Error('the program under supervision has ended');
}
