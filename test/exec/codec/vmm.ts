/** A VMM that knows nothing but bytes: it asks a simulated machine through the codec. */
import { type IoctlName, ioctlNumbers } from '../../../src/abi/kvm/requests.ts';
import type { ClientCall } from '../../../src/exec/codec/index.ts';
import { runPageBytes } from '../../../src/exec/codec/run-page.ts';
import {
  type Answer,
  type Caller,
  createSimulatedHost,
  type GuestScript,
  type SimulatedMachine,
} from '../../../src/simulator/index.ts';
import type { Result } from '../../simulator/drive.ts';
import { Client } from './client.ts';

export interface VmmFile {
  readonly kind: ClientCall['file'];
  readonly handle: number;
  /** Of a vCPU. */
  readonly runPage?: Uint8Array;
}

const kindOf: Readonly<Partial<Record<IoctlName, VmmFile['kind']>>> = {
  KVM_CREATE_VM: 'vm',
  KVM_CREATE_VCPU: 'vcpu',
  KVM_CREATE_GUEST_MEMFD: 'guest_memfd',
  KVM_GET_STATS_FD: 'stats',
};

export class Vmm {
  readonly machine: SimulatedMachine;
  readonly client = new Client();
  readonly kvm: VmmFile;

  constructor(guest: GuestScript) {
    this.machine = createSimulatedHost({ profile: 'spr-1.5', guest });
    this.client.kernelAbi = this.machine.kernelAbi;
    const opened = this.machine.open();
    this.kvm = { kind: 'system', handle: opened.ok ? opened.value : 0 };
  }

  /** The struct is placed in the client's memory; what is there afterwards is in `bytes`. */
  ask(
    file: VmmFile,
    name: IoctlName,
    argument: bigint | Uint8Array = 0n,
  ): { result: Result; bytes: Uint8Array } {
    const length = typeof argument === 'bigint' ? 0 : argument.length;
    const arg = typeof argument === 'bigint' ? argument : this.client.place(argument);
    const decoded = this.client.decode(file.kind, ioctlNumbers[name], arg);
    if (decoded.kind === 'run') throw new Error('KVM_RUN does not answer at once');
    const answer = this.machine.ioctl(this.#caller, file.handle, decoded.request);
    return { result: resultOf(answer), bytes: this.client.peek(arg, length) ?? new Uint8Array() };
  }

  /** A call that makes a file. */
  make(file: VmmFile, name: IoctlName, argument: bigint | Uint8Array = 0n): VmmFile {
    const { result } = this.ask(file, name, argument);
    const kind = kindOf[name];
    if (typeof result === 'string' || kind === undefined) throw new Error(`${name}: ${result}`);
    const made = { kind, handle: result };
    return kind === 'vcpu' ? { ...made, runPage: new Uint8Array(runPageBytes) } : made;
  }

  async run({ kind, handle, runPage }: VmmFile): Promise<Result> {
    const decoded = this.client.decode(kind, ioctlNumbers.KVM_RUN, 0n, runPage);
    if (decoded.kind !== 'run') throw new Error('no KVM_RUN');
    return resultOf(await this.machine.run(this.#caller, handle, decoded.request).answer);
  }

  readonly #caller: Caller = {
    mm: 1,
    cgroup: '/',
    memory: this.client,
    pendingSignal: () => 'none',
  };
}

function resultOf(answer: Answer): Result {
  return answer.ok ? answer.value : answer.errno;
}
