import type { Vcpu as NativeVcpu } from '../../../native/index.ts';
import { type CpuidEntry, KVM_TDX_MEASURE_MEMORY_REGION } from '../../abi/kvm/structs.ts';
import { KvmError } from '../kvm-error.ts';
import { answered } from '../native/answers.ts';
import { nativeMemory } from '../native/user-memory.ts';
import type { InitMemRegion, SetCpuid2, TdxInitVcpu, Vcpu } from '../port.ts';
import { stall } from '../stall.ts';

/** The addon repeats the request on these, until no page got done for too long. */
const repeats: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR', 'EBUSY']);

export class KvmVcpu implements Vcpu {
  readonly native: NativeVcpu;

  constructor(native: NativeVcpu) {
    this.native = native;
  }

  get id(): number {
    return this.native.id;
  }

  setCpuid2({ entries }: SetCpuid2): Promise<void> {
    return answered(this.native.kvmSetCpuid2(entries));
  }

  tdxInitVcpu({ initialRcx }: TdxInitVcpu): Promise<void> {
    return answered(this.native.tdxInitVcpu(initialRcx));
  }

  async tdxInitMemRegion({ source, measure, ...region }: InitMemRegion): Promise<void> {
    const call = this.native.tdxInitMemRegion({
      ...region,
      source: nativeMemory(source),
      flags: measure ? KVM_TDX_MEASURE_MEMORY_REGION : 0,
      stallTimeoutMs: stall.timeoutMs,
    });
    try {
      await answered(call);
    } catch (error) {
      const gaveUp = error instanceof KvmError && repeats.has(error.code);
      throw gaveUp && region.signal?.aborted !== true ? error.after(stall.timeoutMs) : error;
    }
  }

  tdxGetCpuid(): Promise<readonly CpuidEntry[]> {
    return answered(this.native.tdxGetCpuid());
  }

  close(): Promise<void> {
    return this.native.close();
  }
}
