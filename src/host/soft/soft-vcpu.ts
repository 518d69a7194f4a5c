import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { withApicId, withHypervisor } from '../../abi/kvm/cpuid.ts';
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import { answered } from '../native/answers.ts';
import type * as port from '../port.ts';
import { startAsTd } from './vcpu-start.ts';

interface SoftVcpuOptions {
  readonly real: NativeVcpu;
  readonly simulated: port.Vcpu;
  /** What the real KVM supports. */
  readonly realCpuid: readonly CpuidEntry[];
  /** The width of the TD's addresses, which is known once there is one. */
  readonly gpaw: () => number;
}

/** A real vCPU fd beside the vCPU of the simulated TD. */
export class SoftVcpu implements port.Vcpu {
  readonly real: NativeVcpu;
  readonly simulated: port.Vcpu;
  readonly #realCpuid: readonly CpuidEntry[];
  readonly #gpaw: () => number;

  constructor({ real, simulated, realCpuid, gpaw }: SoftVcpuOptions) {
    this.real = real;
    this.simulated = simulated;
    this.#realCpuid = realCpuid;
    this.#gpaw = gpaw;
  }

  get id(): number {
    return this.simulated.id;
  }

  /**
   * The real vCPU gets what the real KVM supports, because it refuses features that this CPU does
   * not have, or that this process may not give away (EPERM for AMX). So a guest does not see a TD's CPUID.
   */
  async setCpuid2(options: port.SetCpuid2): Promise<void> {
    await this.simulated.setCpuid2(options);
    await answered(this.real.kvmSetCpuid2(withHypervisor(withApicId(this.#realCpuid, this.id))));
  }

  async tdxInitVcpu({ initialRcx }: port.TdxInitVcpu): Promise<void> {
    await this.simulated.tdxInitVcpu({ initialRcx });
    await startAsTd(this.real, { index: this.id, initialRcx, gpaw: this.#gpaw() });
  }

  tdxInitMemRegion(region: port.InitMemRegion): Promise<void> {
    return this.simulated.tdxInitMemRegion(region);
  }

  tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    return this.simulated.tdxGetCpuid();
  }

  async close(): Promise<void> {
    await this.real.close();
    await this.simulated.close();
  }
}
