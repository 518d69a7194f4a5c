import type { KeySlots } from '../../host/facts.ts';
import type { HostOffer } from '../../host/offer.ts';

/** What is known of a host that may take a TD. undefined: not known, so nothing is held against it. */
export interface FitHost {
  /** Unique among the hosts of one question. */
  readonly name: string;
  /** undefined: KVM offers no TDs there, for `obstacles`; or nobody asked it. */
  readonly offer: HostOffer | undefined;
  /** Why KVM offers no TDs; the first is the cause. */
  readonly obstacles: readonly string[];
  /** What could not be judged, because the file does not say it. */
  readonly unknown: readonly string[];
  readonly presentCpus: number | undefined;
  readonly keySlots: KeySlots | undefined;
  /** How many more TDs the misc cgroup allows. */
  readonly cgroupRoom: number | undefined;
  readonly memory: HostMemory | undefined;
  /** KVM can give a guest another TSC frequency than the host's. */
  readonly tscScaling: boolean | undefined;
}

export interface HostMemory {
  readonly totalBytes: bigint;
  /** What Linux could hand out at the moment. */
  readonly availableBytes: bigint | undefined;
}
