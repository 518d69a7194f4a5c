import type { CapabilitiesStruct } from '../../../simulator/index.ts';
import type { VcpuHistory, VmHistory } from '../history.ts';
import type { CallArgs } from '../replay/call-args.ts';

/** What is known at a call that was refused, before it changed anything. */
export interface Situation {
  readonly args: CallArgs;
  readonly vm: VmHistory | undefined;
  /** Of a call on a vCPU. */
  readonly vcpu: VcpuHistory | undefined;
  /** What the simulated host lets a TD have. */
  readonly offer: CapabilitiesStruct | undefined;
}
