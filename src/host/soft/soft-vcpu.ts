import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { withApicId, withHypervisor } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { answered } from '../native/answers.ts';
import type * as port from '../port.ts';

/** A real vCPU fd beside the vCPU of the simulated TD. */
export class SoftVcpu implements port.Vcpu {
  readonly #real: NativeVcpu;
  readonly #simulated: port.Vcpu;
  readonly #realCpuid: readonly CpuidEntry[];

  constructor(real: NativeVcpu, simulated: port.Vcpu, realCpuid: readonly CpuidEntry[]) {
    this.#real = real;
    this.#simulated = simulated;
    this.#realCpuid = realCpuid;
  }

  get id(): number {
    return this.#simulated.id;
  }

  /**
   * The real vCPU gets what the real KVM supports, because it refuses features that this CPU does
   * not have, or that this process may not give away (EPERM for AMX).
   */
  async setCpuid2(options: port.SetCpuid2): Promise<void> {
    await this.#simulated.setCpuid2(options);
    await answered(this.#real.kvmSetCpuid2(withHypervisor(withApicId(this.#realCpuid, this.id))));
  }

  tdxInitVcpu(options: port.TdxInitVcpu): Promise<void> {
    return this.#simulated.tdxInitVcpu(options);
  }

  tdxInitMemRegion(region: port.InitMemRegion): Promise<void> {
    return this.#simulated.tdxInitMemRegion(region);
  }

  tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    return this.#simulated.tdxGetCpuid();
  }

  /** No guest code runs on the real vCPU: its memory holds none that could. */
  async run(options: port.RunVcpu): Promise<port.VcpuExitReason> {
    if (this.#simulated.run === undefined) throw new Error('a simulated vCPU can be entered');
    return this.#simulated.run(options);
  }

  async close(): Promise<void> {
    await this.#real.close();
    await this.#simulated.close();
  }
}
