/** A guest of a simulated machine: its vCPUs are inside KVM_RUN, and no instruction is executed. */
import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VcpuExit } from '../../simulator/index.ts';
import type { Guest, GuestEnd, GuestEndReason, GuestState } from '../guest.ts';
import { GuestEnding } from '../guest-ending.ts';
import { KvmError } from '../kvm-error.ts';
import { InstructionlessGuest } from './instructionless-guest.ts';
import type { SimulatedVcpu } from './vcpu.ts';

/** The vCPUs while they are in. A promise gives why its vCPU has come out by itself, and none rejects. */
interface Entered {
  readonly leaving: AbortController;
  readonly exits: readonly Promise<GuestEndReason | undefined>[];
}

export class SimulatedGuest extends InstructionlessGuest implements Guest {
  readonly #vcpus: readonly SimulatedVcpu[];
  readonly #ending = new GuestEnding();
  #entered: Entered | undefined;

  constructor(vcpus: readonly SimulatedVcpu[]) {
    super();
    this.#vcpus = vcpus;
  }

  get ended(): Promise<GuestEnd> {
    return this.#ending.ended;
  }

  get end(): GuestEnd | undefined {
    return this.#ending.end;
  }

  async run(): Promise<void> {
    if (this.#entered !== undefined || this.end !== undefined) return;
    const leaving = new AbortController();
    // The signal has one listener for each vCPU on purpose, so Node must not warn of a leak.
    setMaxListeners(0, leaving.signal);
    const exits = this.#vcpus.map((vcpu) => stayIn(vcpu, leaving.signal));
    this.#entered = { leaving, exits };
    const out = await outAtOnce(exits);
    const refused = out.find((reason) => reason.kind === 'refused');
    if (refused !== undefined) {
      await this.pause();
      throw refused.error;
    }
    for (const [vcpu, exit] of exits.entries()) void this.#watch(vcpu, exit);
    if (out.length > 0) await this.ended;
  }

  async pause(): Promise<void> {
    const entered = this.#entered;
    if (entered === undefined) return;
    // Nobody asks for the reason, and Node makes an error with a stack where there is none.
    entered.leaving.abort('pause');
    await Promise.all(entered.exits);
    if (this.#entered === entered) this.#entered = undefined;
  }

  /** What there is of a simulated TD moves with it in the module. */
  async getState(): Promise<GuestState> {
    return {};
  }

  async setState(): Promise<void> {}

  close(): Promise<void> {
    return this.pause();
  }

  async #watch(vcpu: number, exit: Promise<GuestEndReason | undefined>): Promise<void> {
    const reason = await exit;
    if (reason === undefined) return;
    await this.pause();
    this.#ending.tell({ vcpu, ...reason });
  }
}

/** Why the vCPU has come out by itself; it is entered again after a signal that was not ours. */
async function stayIn(
  vcpu: SimulatedVcpu,
  signal: AbortSignal,
): Promise<GuestEndReason | undefined> {
  for (;;) {
    try {
      return endOf(await vcpu.run(signal));
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof KvmError)) throw error;
      if (error.code !== 'EINTR') return { kind: 'refused', error };
    }
    await nextTurn();
  }
}

/** The kernel refuses at once, so a vCPU that is still in after a turn of the event loop has entered. */
async function outAtOnce(exits: Entered['exits']): Promise<GuestEndReason[]> {
  const stillIn = nextTurn().then(() => undefined);
  const reasons = await Promise.all(exits.map((exit) => Promise.race([exit, stillIn])));
  return reasons.filter((reason) => reason !== undefined);
}

function endOf(exit: VcpuExit): GuestEndReason {
  switch (exit.reason) {
    case 'KVM_EXIT_SHUTDOWN':
      return { kind: 'shutdown' };
    case 'KVM_EXIT_INTERNAL_ERROR':
      return { kind: 'internal-error', suberror: exit.suberror, data: exit.data ?? [] };
    case 'KVM_EXIT_SYSTEM_EVENT':
      return { kind: 'system-event', type: exit.type, data: exit.data };
    case 'KVM_EXIT_MEMORY_FAULT':
      return { kind: 'memory-fault', flags: exit.flags, gpa: exit.gpa, sizeBytes: exit.size };
    default:
      return { kind: 'unknown-exit', exit: exit.reason };
  }
}
