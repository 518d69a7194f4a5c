/** Who wants to hear of each request on a host. */
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import type { RequestName } from '../abi/kvm/requests.ts';

export interface RequestRecord {
  readonly request: RequestName;
  /** The capability, where the request names one. */
  readonly capability: CapabilityName | undefined;
  /** The answer is `ok`, or the name of the errno. */
  readonly answer: string;
  readonly durationMs: number;
}

export interface Observer {
  /** The caller gives its clock, in milliseconds, because simulated time has its own. */
  readonly now: () => number;
  readonly onAnswer: (record: RequestRecord) => void;
}
