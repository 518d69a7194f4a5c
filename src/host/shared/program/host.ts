/** A shared host as one program has it that has joined: the port, over its socket. */
import type { CapabilityName } from '../../../abi/kvm/capabilities.ts';
import type { CpuidEntry } from '../../../abi/kvm/structs.ts';
import type { TdctlError } from '../../../errors/index.ts';
import type { HostFacts, HostMemoryFacts, KeySlots } from '../../facts.ts';
import { own } from '../../own.ts';
import type { CreateVm, GuestMemory, Host, MapMemory, UserMemory, Vm } from '../../port.ts';
import { hostToken } from '../wire/messages.ts';
import type { WhichHost } from './gone.ts';
import { joinHost } from './join.ts';
import type { Link } from './link.ts';
import { ProgramMemory, SharedMemory } from './memory.ts';
import { madeBy, type SharedGuestMemory, type SharedVm } from './objects.ts';

export interface SharedHostOptions {
  /** Under what name `--host` has it; without one it is told by its path. */
  readonly name?: string | undefined;
  /** The misc cgroup that its TDs are charged to. */
  readonly cgroup?: string | undefined;
  /** The version of tdctl that joins, for those who look at the programs of a host. */
  readonly tdctl?: string | undefined;
}

/**
 * @param path of the socket
 * @throws TdctlError TDCTL_E_NOT_FOUND where nobody serves it, TDCTL_E_CONFLICT where it speaks another protocol,
 * TDCTL_E_NOT_OWNER where it is another user's, TDCTL_E_NOT_ANSWERING where it does not answer.
 */
export async function openSharedHost(
  path: string,
  options: SharedHostOptions = {},
): Promise<SharedHost> {
  const { name, cgroup, tdctl } = options;
  const host: WhichHost = { name: name ?? path };
  const space = new ProgramMemory();
  const { link, fields } = await joinHost(path, {
    host,
    said: { pid: process.pid, cgroup, tdctl },
    made: (of, reference) => madeBy(of, reference, space),
  });
  return new SharedHost(link, fields as unknown as Joined, name);
}

/** What the host tells a program that has joined. */
interface Joined {
  readonly process: number;
  readonly cgroup: string;
  readonly tdxMissing?: string;
}

export class SharedHost implements Host {
  /** The number of this program in the simulated kernel: grants name it. */
  readonly process: number;
  readonly cgroup: string;
  /** The reason why the machine offers no TDs; undefined where it does. */
  readonly tdxMissing: string | undefined;
  readonly #link: Link;
  readonly #name: string | undefined;
  #isClosed = false;

  constructor(link: Link, { process, cgroup, tdxMissing }: Joined, name: string | undefined) {
    this.#link = link;
    this.process = process;
    this.cgroup = cgroup;
    this.tdxMissing = tdxMissing;
    this.#name = name;
  }

  /** The reason why no call is answered any more: the host has ended, or this program has left. */
  get gone(): TdctlError | undefined {
    return this.#link.gone;
  }

  async facts(): Promise<HostFacts> {
    const facts = await this.#ask<HostFacts>('facts');
    return this.#name === undefined ? facts : { ...facts, name: this.#name };
  }

  keySlots(): Promise<KeySlots> {
    return this.#ask('keySlots');
  }

  cgroupRoom(): Promise<number | undefined> {
    return this.#ask('cgroupRoom');
  }

  memory(): Promise<HostMemoryFacts> {
    return this.#ask('memory');
  }

  checkExtension(capability: CapabilityName): Promise<number> {
    return this.#ask('checkExtension', capability);
  }

  getSupportedCpuid(): Promise<readonly CpuidEntry[]> {
    return this.#ask('getSupportedCpuid');
  }

  createVm({ type }: CreateVm): Promise<SharedVm> {
    return this.#ask('createVm', { type });
  }

  async mapMemory({ sizeBytes, sharedWith }: MapMemory): Promise<SharedMemory> {
    if (sharedWith === undefined) return this.#ask('mapMemory', { sizeBytes });
    const other = own(sharedWith, SharedMemory, 'memory');
    const memory = await this.#ask<SharedMemory>('mapMemory', { sizeBytes, sharedWith: other });
    memory.shareWith(other);
    return memory;
  }

  /** The machine's time at the last answer that came here. */
  simulatedTimeNs(): bigint {
    return BigInt(this.#link.nowNs);
  }

  /**
   * Passes an object to another program on the host, as SCM_RIGHTS passes an fd: it stays open there whatever becomes
   * of this program, until it is closed or that program dies. What may be done with it is the kernel's to say: a VM
   * answers only to its maker, and is good for a move and for being closed.
   *
   * @param to that program's `process`
   * @returns the text that the other program gives to {@link accept}, once
   */
  async grant(object: Vm | GuestMemory | UserMemory, to: number): Promise<string> {
    if (object instanceof SharedMemory) object.sendWritten();
    return this.#ask('grant', { object, to });
  }

  acceptVm(ticket: string): Promise<SharedVm> {
    return this.#ask('accept', { ticket, kind: 'vm' });
  }

  acceptGuestMemory(ticket: string): Promise<SharedGuestMemory> {
    return this.#ask('accept', { ticket, kind: 'guestMemory' });
  }

  async acceptMemory(ticket: string): Promise<SharedMemory> {
    const memory = await this.#ask<SharedMemory>('accept', { ticket, kind: 'memory' });
    await memory.fetch();
    return memory;
  }

  /** Closes /dev/kvm. The connection ends once nothing of this program is open on the host. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.gone === undefined) {
      await this.#ask('close').catch((error: unknown) => {
        if (error !== this.gone) throw error;
      });
    }
    this.#link.leaveWhenDone();
  }

  /** Dies, as far as the host can tell: what this program has open there is closed. */
  leave(): void {
    this.#link.leave();
  }

  #ask<Answer>(method: string, arg?: unknown): Promise<Answer> {
    return this.#link.call(hostToken, method, arg) as Promise<Answer>;
  }
}
