/** The process of a shared host, from its directory to its end. */
import { createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { loadAddon } from '../../../native/index.ts';
import { errorData, TdctlError } from '../../errors/index.ts';
import { readCpuIdentity, withCpuIdentity } from '../../exec/index.ts';
import { listenOnSocketFile } from '../../files/index.ts';
import { reopenToAppend } from '../../files/reopen.ts';
import {
  LaterFaults,
  type Operations,
  protocolVersion,
  SharedMachine,
} from '../../host/shared/index.ts';
import { openSimulatedMachine, type SimulatedMachineChoice } from '../../host/simulated/index.ts';
import { type Peers, peersOf } from '../../keeper/api/peers.ts';
import { type OwnedHost, ownHost } from '../../keeper/hosts/host-directory.ts';
import { attendedVariable } from '../../keeper/hosts/operations.ts';
import { ownProcess } from '../../keeper/identity.ts';
import { openProgress } from '../../keeper/progress.ts';
import { openStateDirectory } from '../../keeper/state-directory.ts';
import { formatFault, runningHostClock, type SimulatedMachine } from '../../simulator/index.ts';
import { recordCalls, type TraceRecord, traceJsonLine, traceText } from '../../trace/index.ts';
import { hostProfile } from '../host-profile.ts';
import { readFault } from '../run/fault.ts';
import { version } from '../version.ts';
import { bothDoors, Hearing, noDoor, openDoor, serveFds } from './door.ts';
import { HostFacts } from './facts.ts';
import { rehearsalOperations } from './for-rehearsal.ts';
import {
  type FaultsAsked,
  type HostStatus,
  type ProgramOnHost,
  profileText,
  type StopAsked,
} from './machine.ts';

export interface ServedHost {
  readonly name: string;
  /** `sim`, or `sim:` and a profile or a file. */
  readonly machine: string;
  readonly kernel: string;
  readonly env: NodeJS.ProcessEnv;
  /** What is told to whoever looks at this process, once it serves. */
  readonly onServing: (owned: OwnedHost) => void;
  /** Its log gets what is printed, where nobody sees that. */
  readonly hasTerminal: boolean;
}

const op = 'start a shared host';

/** Resolves when the host has ended in good order. @throws TdctlError where it cannot be had. */
export async function serveHost(served: ServedHost): Promise<void> {
  const progress = openProgress(served.env);
  const end = new Ending();
  try {
    const owned = await own(served);
    try {
      const faults = new LaterFaults();
      const choice = await machineFor(served);
      const machine = openSimulatedMachine({ ...choice, faults });
      const twin = openSimulatedMachine(choice);
      const facts = await HostFacts.write(machine, twin, owned.files.facts);
      if (!served.hasTerminal) for (const fd of [1, 2]) reopenToAppend(fd, owned.files.log);
      await serve({ served, owned, machine, faults, facts, end }, () =>
        progress.tell({ reached: 'running' }),
      );
    } finally {
      owned.remove();
    }
  } catch (error) {
    const told = error instanceof TdctlError ? error : defect(error);
    progress.tell({ failed: errorData(told) });
    throw told;
  } finally {
    progress.end();
    end.done();
  }
}

/** Its CPU is that of this machine and its clocks run, where programs can come that see both. */
async function machineFor({ machine, kernel }: ServedHost): Promise<SimulatedMachineChoice> {
  const profile = await hostProfile(profileText(machine));
  const cpu = loadAddon().available ? readCpuIdentity() : undefined;
  return {
    profile: cpu === undefined ? profile : withCpuIdentity(profile, cpu),
    kernelAbi: kernel,
    hostClock: cpu === undefined ? undefined : runningHostClock(),
  };
}

async function own({ name, env }: ServedHost): Promise<OwnedHost> {
  const state = await openStateDirectory(env, { create: true });
  const owned = await ownHost(state, name, { create: true });
  if (owned !== undefined) return owned;
  throw new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op,
    message: `there is a shared host ${name} already`,
    hint: `\`tdctl host show ${name}\` says what it is; choose another name, or \`tdctl host stop ${name}\` first`,
  });
}

interface Serving {
  readonly served: ServedHost;
  readonly owned: OwnedHost;
  readonly machine: SimulatedMachine;
  readonly faults: LaterFaults;
  readonly facts: HostFacts;
  readonly end: Ending;
}

async function serve(serving: Serving, reached: () => void): Promise<void> {
  const { served, owned, machine, faults, facts, end } = serving;
  const onCalled = () => facts.update();
  const peers = peersOf(owned.files.directory);
  const door = openDoor({ machine, onCalled, nextProcess: () => shared.nextProcess() });
  const programs = () => bothDoors(shared.programs(), door?.programs() ?? []);
  const hearing = new Hearing((all) => door?.hearEveryCall(all));
  const shared: SharedMachine = new SharedMachine({
    machine,
    onCalled,
    tdctl: version(),
    peerOf: (socket) => peerOf(peers, socket),
    mayJoin: (peer) => peers.mayAsk(peer),
    operations: {
      ...(door?.operations ?? noDoor),
      ...operationsOf({ machine, faults, end, programs, hearing, env: served.env }),
    },
  });
  // The programs of all must not end for a defect in an answer to one.
  process.on('uncaughtException', (error) => log(error));
  const server = createServer((socket) => shared.take(socket));
  await listenOnSocketFile(server, {
    ...{ path: owned.files.socket, op: 'serve a shared host', anyLength: true },
  });
  const fds = door && (await serveFds(door, { path: owned.files.fds, peers }));
  owned.writeRecord({
    version: 1,
    server: ownProcess(version()),
    machine: served.machine,
    kernel: machine.kernelAbi.name,
    protocol: protocolVersion,
  });
  reached();
  served.onServing(owned);
  const why = await end.asked;
  shared.end(why);
  await Promise.all([server, ...(fds === undefined ? [] : [fds])].map(closed));
}

function peerOf(peers: Peers, socket: Parameters<Peers['of']>[0]) {
  try {
    return peers.of(socket);
  } catch {
    // It is gone again already.
    return undefined;
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

interface Operated {
  readonly machine: SimulatedMachine;
  readonly faults: LaterFaults;
  readonly end: Ending;
  readonly programs: () => readonly ProgramOnHost[];
  readonly hearing: Hearing;
  readonly env: NodeJS.ProcessEnv;
}

function operationsOf({ machine, faults, end, programs, hearing, env }: Operated): Operations {
  const faultsToCome = () => faults.unmet().map(formatFault);
  return {
    status: (): HostStatus => ({
      keySlots: machine.keySlots,
      vms: machine.snapshot().vms.length,
      availableBytes: machine.freeMemoryBytes,
      simulatedNs: machine.nowNs,
      programs: programs(),
      faultsToCome: faultsToCome(),
    }),
    faults(arg) {
      const asked = arg as FaultsAsked;
      const records = asked.faults.map(readFault);
      if (asked.clear) faults.clear();
      faults.add(records);
      hearing.forFaults(records.length > 0 || !asked.clear);
      return faultsToCome();
    },
    ...rehearsalOperations({
      ...{ machine, programs, faultsToCome, end: (why) => end.ask(why) },
      isAwaited: env[attendedVariable] !== undefined,
    }),
    trace(arg, { signal, tell }) {
      const format = (arg as { readonly json: boolean }).json ? traceJsonLine : traceText;
      const quiet = recordCalls(
        (listener) => machine.listen(listener),
        (record: TraceRecord) => tell(format(record)),
        { threadOf: (mm) => `T${mm ?? 0}`, kindOf: (handle) => machine.fileKind(handle) },
      );
      const done = hearing.forTrace();
      return new Promise<void>((resolve) => {
        const over = () => {
          quiet();
          done();
          resolve();
        };
        if (signal.aborted) over();
        signal.addEventListener('abort', over, { once: true });
      });
    },
    stop(arg, { by }) {
      const { length } = programs();
      if (length > 0 && !(arg as StopAsked).now) throw inUse(length);
      end.ask(`it was stopped${by === undefined ? '' : ` by process ${by.pid}`} (tdctl host stop)`);
    },
  };
}

function inUse(programs: number): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'stop a shared host',
    message: `${programs === 1 ? 'a program is' : `${programs} programs are`} on the host, and would lose what they have there`,
    hint: '`tdctl host show` names them; `--now` stops it all the same',
  });
}

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Why the host ends, once it is asked to. */
class Ending {
  readonly asked: Promise<string>;
  #ask: (why: string) => void = () => undefined;
  readonly #keepAlive = setInterval(() => {}, 2 ** 30);
  readonly #onSignal = (signal: NodeJS.Signals) =>
    this.ask(`a signal has ended its process (${signal})`);

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
    for (const signal of signals) process.on(signal, this.#onSignal);
    process.on('SIGHUP', ignore);
  }

  ask(why: string): void {
    this.#ask(why);
  }

  done(): void {
    clearInterval(this.#keepAlive);
    for (const signal of signals) process.off(signal, this.#onSignal);
    process.off('SIGHUP', ignore);
  }
}

/** It means nothing to a process without a terminal. */
function ignore(): void {}

function defect(cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERNAL',
    op,
    message: 'the process of the host met a defect of its own',
    details: inspect(cause).split('\n'),
    hint: 'please report this text',
    cause,
  });
}

/** In host.log, where there is no terminal. */
function log(said: unknown): void {
  process.stderr.write(`${new Date().toISOString()} ${inspect(said)}\n`);
}
