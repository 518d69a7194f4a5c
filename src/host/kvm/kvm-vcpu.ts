import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { type CpuidEntry, KVM_TDX_MEASURE_MEMORY_REGION } from '../../abi/kvm/structs.ts';
import { answered } from '../native/answers.ts';
import { nativeMemory } from '../native/user-memory.ts';
import type { InitMemRegion, SetCpuid2, TdxInitVcpu, Vcpu } from '../port.ts';

export class KvmVcpu implements Vcpu {
  readonly #vcpu: NativeVcpu;

  constructor(vcpu: NativeVcpu) {
    this.#vcpu = vcpu;
  }

  get id(): number {
    return this.#vcpu.id;
  }

  setCpuid2({ entries }: SetCpuid2): Promise<void> {
    return answered(this.#vcpu.kvmSetCpuid2(entries));
  }

  tdxInitVcpu({ initialRcx }: TdxInitVcpu): Promise<void> {
    return answered(this.#vcpu.tdxInitVcpu(initialRcx));
  }

  tdxInitMemRegion({ source, measure, ...region }: InitMemRegion): Promise<void> {
    return answered(
      this.#vcpu.tdxInitMemRegion({
        ...region,
        source: nativeMemory(source),
        flags: measure ? KVM_TDX_MEASURE_MEMORY_REGION : 0,
      }),
    );
  }

  tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    return answered(this.#vcpu.tdxGetCpuid());
  }

  close(): Promise<void> {
    return this.#vcpu.close();
  }
}
