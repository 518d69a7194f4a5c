import type { HostMemoryFacts, KeySlots } from '../../host/facts.ts';
import type { HostOffer } from '../../host/offer.ts';
import type { Assessment } from '../../plan/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { VmmAssessment } from '../../vmm/index.ts';
import type { ExpectedTimes } from './expected-times.ts';

export interface PlanReport extends Assessment {
  readonly spec: TrustDomain;
  readonly offer: HostOffer;
  readonly keySlots: KeySlots | undefined;
  /** What misc.max of this process's cgroups leaves; undefined: no limit is known. */
  readonly cgroupRoom: number | undefined;
  readonly memory: HostMemoryFacts;
  /** Where the engine is one with devices. */
  readonly vmm: VmmAssessment | undefined;
  /** Undefined where something stands against the plan. */
  readonly times: ExpectedTimes | undefined;
}
