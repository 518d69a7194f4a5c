/** One simulated machine for many programs, which join over UNIX sockets. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TdctlError } from '../../../errors/index.ts';
import type { SimulatedMachine } from '../../../simulator/index.ts';
import { AddressSpace, SimulatedHost } from '../../simulated/index.ts';
import { NotTheProtocol } from '../wire/frames.ts';
import { GreetingReader, greetingLine, protocolVersion } from '../wire/greeting.ts';
import type { ObjectKind } from '../wire/messages.ts';
import { awaitWord } from '../wire/silence.ts';
import { Connection } from './connection.ts';
import { type Grantable, objectFacts } from './methods.ts';
import { type Operations, Operator } from './operator.ts';
import type { Peer } from './peer.ts';

export interface SharedMachineOptions {
  /** A machine whose /dev/kvm can be opened, and whose calls nobody else makes. */
  readonly machine: SimulatedMachine;
  /** The version of tdctl that serves it, for those that speak another protocol. */
  readonly tdctl: string;
  /** Who has connected, where that can be told. */
  readonly peerOf?: (socket: Socket) => Peer | undefined;
  /** Whether that one may join; all may where it is left out. */
  readonly mayJoin?: (peer: Peer | undefined) => boolean;
  /** What those can ask for that look at the host and are no programs on it. */
  readonly operations?: Operations;
  /** Before the answer to each call, and after the death of a program. */
  readonly onCalled?: () => void;
  readonly onJoined?: (program: ProgramFacts) => void;
  readonly onLeft?: (program: ProgramFacts) => void;
}

/** A program that has joined, as others see it. */
export interface ProgramFacts {
  /** Its number in the simulated kernel, by which traces and grants know it. */
  readonly process: number;
  readonly cgroup: string;
  /** As the kernel of this machine says it, and where that cannot be asked, as the program says it. */
  readonly pid: number | undefined;
  /** Undefined where the kernel cannot be asked. */
  readonly uid: number | undefined;
  readonly tdctl: string | undefined;
  /** ISO 8601. */
  readonly joinedAt: string;
  readonly calls: number;
}

interface Program {
  readonly host: SimulatedHost;
  readonly connection: Connection;
  readonly facts: Omit<ProgramFacts, 'calls'>;
  /** What others have passed to it, and it has not taken yet. */
  readonly passed: Map<string, Grantable>;
}

export class SharedMachine {
  readonly #options: SharedMachineOptions;
  readonly #programs = new Map<number, Program>();
  readonly #operators = new Set<Operator>();
  readonly #greeting = new Set<Socket>();
  #nextProcess = 1;
  #ended: string | undefined;

  constructor(options: SharedMachineOptions) {
    this.#options = options;
  }

  get machine(): SimulatedMachine {
    return this.#options.machine;
  }

  /** A number for a process of the simulated kernel, which nobody else gets. */
  readonly nextProcess = (): number => this.#nextProcess++;

  programs(): readonly ProgramFacts[] {
    return [...this.#programs.values()].map(factsOf);
  }

  /** Takes a connection: `net.createServer((socket) => shared.take(socket))`. */
  take(socket: Socket): void {
    const reader = new GreetingReader();
    const hasSpoken = awaitWord(() => socket.destroy());
    this.#greeting.add(socket);
    const over = () => {
      hasSpoken();
      this.#greeting.delete(socket);
    };
    const hear = (chunk: Buffer) => {
      try {
        const heard = reader.take(chunk);
        if (heard === undefined) return;
        over();
        socket.off('data', hear);
        this.#join(socket, heard);
      } catch (error) {
        over();
        socket.off('data', hear);
        if (!(error instanceof NotTheProtocol)) throw error;
        turnAway(socket, { refused: 'not understood', why: error.message });
      }
    };
    socket.on('data', hear);
    socket.on('error', over);
    socket.on('close', over);
  }

  /** Ends every connection; each program is told why. Those that come later are turned away with the same words. */
  end(why: string): void {
    this.#ended = why;
    for (const socket of this.#greeting) turnAway(socket, { refused: 'ended', why });
    for (const { connection } of [...this.#programs.values()]) connection.sayBye(why);
    for (const operator of [...this.#operators]) operator.sayBye(why);
  }

  #join(socket: Socket, heard: NonNullable<ReturnType<GreetingReader['take']>>): void {
    const { greeting, rest } = heard;
    const { tdctl, peerOf, mayJoin } = this.#options;
    const peer = peerOf?.(socket);
    if (this.#ended !== undefined) {
      turnAway(socket, { refused: 'ended', why: this.#ended });
      return;
    }
    if (mayJoin?.(peer) === false) {
      turnAway(socket, { refused: 'user', tdctl });
      return;
    }
    if (greeting.protocol !== protocolVersion) {
      turnAway(socket, { refused: 'protocol', tdctl });
      return;
    }
    if (greeting.fields.as === 'operator') this.#admit(socket, peer, rest);
    else this.#makeProcess(socket, { peer, said: saidBy(greeting.fields), rest });
  }

  #admit(socket: Socket, by: Peer | undefined, rest: Buffer): void {
    const { tdctl, machine, operations = {} } = this.#options;
    const operator: Operator = new Operator({
      ...{ socket, by, operations, nowNs: () => machine.nowNs },
      left: () => this.#operators.delete(operator),
    });
    this.#operators.add(operator);
    socket.write(greetingLine({ tdctl, nowNs: machine.nowNs }));
    operator.start(rest);
  }

  #makeProcess(
    socket: Socket,
    { peer, said, rest }: { peer: Peer | undefined; said: ReturnType<typeof saidBy>; rest: Buffer },
  ): void {
    const { tdctl, machine } = this.#options;
    const process = this.nextProcess();
    const { cgroup, pid, release } = said;
    const host = new SimulatedHost(machine, new AddressSpace(), { mm: process, cgroup });
    const passing = {
      grant: (object: Grantable, to: number) => this.#grant(program, object, to),
      accept: (ticket: string, kind: ObjectKind) => accept(program, ticket, kind),
    };
    const died = () => {
      this.#programs.delete(process);
      this.#options.onCalled?.();
      this.#options.onLeft?.(factsOf(program));
    };
    const program: Program = {
      host,
      connection: new Connection({ socket, host, passing, died, called: this.#options.onCalled }),
      facts: {
        ...{ process, cgroup, tdctl: release, joinedAt: new Date().toISOString() },
        ...{ pid: peer?.pid ?? pid, uid: peer?.uid },
      },
      passed: new Map(),
    };
    this.#programs.set(process, program);
    const { nowNs } = machine;
    const { tdxMissing } = host;
    socket.write(greetingLine({ process, cgroup, tdctl, nowNs, tdxMissing }));
    this.#options.onJoined?.(factsOf(program));
    program.connection.start(rest);
  }

  /**
   * The object is the other program's from now on, as an fd is that waits in its socket: it stays open when whoever
   * passed it dies, and is closed when the other one does.
   */
  #grant({ host }: Program, object: Grantable, to: number): string {
    const other = this.#programs.get(to);
    if (other === undefined) {
      throw new TdctlError({
        code: 'TDCTL_E_NOT_FOUND',
        op: 'pass an object to another program',
        message: `no program on this host is process ${to}: it has not joined, or has left`,
        hint: 'what it had been passed before is closed already',
      });
    }
    const ticket = `${to}-${randomBytes(12).toString('base64url')}`;
    other.passed.set(ticket, host.passTo(other.host, object));
    return ticket;
  }
}

function accept({ passed }: Program, ticket: string, kind: ObjectKind): Grantable {
  const object = passed.get(ticket);
  if (object === undefined || objectFacts(object)?.kind !== kind) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_FOUND',
      op: 'take what another program has passed',
      message: `no ${kind} has been passed to this program under that text, or it has been taken`,
      hint: 'each text that a grant gives is for one program, and for one time',
    });
  }
  passed.delete(ticket);
  return object;
}

function turnAway(socket: Socket, fields: Readonly<Record<string, unknown>>): void {
  socket.end(greetingLine(fields));
}

function factsOf({ facts, connection }: Program): ProgramFacts {
  return { ...facts, calls: connection.calls };
}

/** What a program says of itself; nothing here depends on its being true. */
function saidBy({ cgroup, pid, tdctl }: Readonly<Record<string, unknown>>) {
  const isPath = typeof cgroup === 'string' && /^(\/[^/\0]+)+$/.test(cgroup);
  return {
    cgroup: isPath ? cgroup : '/',
    pid: Number.isInteger(pid) ? (pid as number) : undefined,
    release: typeof tdctl === 'string' ? tdctl.slice(0, 64) : undefined,
  };
}
