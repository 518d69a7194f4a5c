/** The door of a shared host for programs that are no tdctl, where this process can open one. */
import { createServer, type Server } from 'node:net';
import { addonRemedy, loadAddon, type PassedFd, socketFd } from '../../../native/index.ts';
import { TdctlError } from '../../errors/index.ts';
import { ExecDoor, type ExecutedFacts, fdsIn } from '../../exec/door/index.ts';
import { listenOnSocketFile } from '../../files/index.ts';
import type { Operations, ProgramFacts } from '../../host/shared/index.ts';
import type { Peers } from '../../keeper/api/peers.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';
import type { ProgramOnHost } from './machine.ts';

/** @returns undefined where the addon cannot be loaded. */
export function openDoor(options: {
  readonly machine: SimulatedMachine;
  readonly nextProcess: () => number;
  readonly onCalled: () => void;
}): ExecDoor | undefined {
  const native = loadAddon();
  if (!native.available) return undefined;
  return new ExecDoor({ ...options, supervisor: native.addon.Supervisor });
}

export const noDoor: Operations = {
  execute() {
    throw new TdctlError({
      code: 'TDCTL_E_HOST_UNSUPPORTED',
      op: 'answer the KVM calls of a command on a shared host',
      message:
        'the process of the shared host could not load the native addon, without which none can',
      hint: `${addonRemedy()}, and start the host anew`,
    });
  },
};

const lineBytes = 4096;
const fdsOfCommand = 3;
/** Who connects, and then passes nothing. */
const silenceMs = 10_000;

/** Serves the socket that fds come over. */
export async function serveFds(
  door: ExecDoor,
  { path, peers }: { readonly path: string; readonly peers: Peers },
): Promise<Server> {
  // What comes with bytes that Node itself has read is lost.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const fd = socketFd(socket);
    if (fd !== undefined && peers.mayAsk(peers.of(socket))) void takeFds(door, fd);
    socket.destroy();
  });
  await listenOnSocketFile(server, { path, op: 'serve a shared host', anyLength: true });
  return server;
}

async function takeFds(door: ExecDoor, fd: number): Promise<void> {
  const native = loadAddon();
  if (!native.available) return;
  const channel = native.addon.FdChannel.of(fd);
  const deadline = setTimeout(() => void channel.close(), silenceMs);
  let passed: readonly PassedFd[] = [];
  try {
    const { bytes, fds } = await channel.receive({ maxBytes: lineBytes, maxFds: fdsOfCommand });
    passed = fds;
    door.handOver(fdsIn(Buffer.from(bytes).toString()).ticket, fds);
  } catch {
    // Whoever waits for an answer is told that nothing has come.
    for (const each of passed) void each.close();
  } finally {
    clearTimeout(deadline);
    void channel.close();
  }
}

export function bothDoors(
  joined: readonly ProgramFacts[],
  executed: readonly ExecutedFacts[],
): readonly ProgramOnHost[] {
  const all = [
    ...joined.map((facts) => ({ ...facts, command: undefined })),
    ...executed.map((facts) => ({ ...facts, tdctl: undefined })),
  ];
  return all.sort((one, other) => one.process - other.process);
}

/** Whether anybody must hear the calls that the supervisor can answer by itself. */
export class Hearing {
  readonly #tell: (all: boolean) => void;
  #traces = 0;
  #hasFaults = false;

  constructor(tell: (all: boolean) => void) {
    this.#tell = tell;
  }

  forFaults(are: boolean): void {
    this.#hasFaults = are;
    this.#changed();
  }

  /** @returns what ends it. */
  forTrace(): () => void {
    this.#traces++;
    this.#changed();
    return () => {
      this.#traces--;
      this.#changed();
    };
  }

  #changed(): void {
    this.#tell(this.#hasFaults || this.#traces > 0);
  }
}
