/** What no request refuses, and the guest meets after its start. It may be well: these are warnings, not findings. */
import { roundedBytes } from '../documents/quantity.ts';
import type { TrustDomain } from '../spec/trust-domain.ts';

export interface PlanWarning {
  /** Stable. */
  readonly id: 'memory-no-multiple-of-gib' | 'eager-accept-takes-minutes';
  /** The field of the file that it comes from. */
  readonly field: string;
  /** Where the field is: `td.yaml:7:11`. */
  readonly place: string;
  readonly message: string;
  readonly hint: string;
}

type Warner = (memoryBytes: bigint) => Pick<PlanWarning, 'id' | 'message' | 'hint'> | undefined;

const GIB = 1n << 30n;

/**
 * The RAM above 4 GiB begins 2 GiB later than it would without the hole below, so a TD of this much ends at 64 GiB.
 * Sources: canonical/tdx#421 (67000 MiB, Linux 6.19), kata-containers/kata-containers#12537.
 */
const LARGEST_WITHOUT_FAULT = 62n * GIB;

const noMultipleOfGib: Warner = (memoryBytes) => {
  if (memoryBytes <= LARGEST_WITHOUT_FAULT || memoryBytes % GIB === 0n) return undefined;
  const next = (memoryBytes / GIB + 1n) * 1024n;
  return {
    id: 'memory-no-multiple-of-gib',
    message:
      `${roundedBytes(memoryBytes)} is no multiple of 1GiB and ends above 64 GiB: guest kernels with a known fault ` +
      '(met in Linux 6.19) die at their start, in _find_next_bit',
    hint: `ask for ${next}MiB, or use a guest kernel with the fix`,
  };
};

/** kata-containers/kata-containers#13535: 64 GiB took more than 90 s eagerly, and less than 15 s lazily. */
const EAGER_MS_PER_GIB = 90_000 / 64;
/** Below it nobody waits long enough to ask why. */
const WORTH_A_WORD_MS = 60_000;

const eagerAccept: Warner = (memoryBytes) => {
  const ms = (Number(memoryBytes) / Number(GIB)) * EAGER_MS_PER_GIB;
  if (ms < WORTH_A_WORD_MS) return undefined;
  return {
    id: 'eager-accept-takes-minutes',
    message:
      `firmware that accepts all memory before it starts the guest takes ${minutes(ms)} or more with ` +
      `${roundedBytes(memoryBytes)} (90 s were met at 64 GiB); whether this image does cannot be told from it`,
    hint: 'use firmware that accepts lazily and a guest kernel with CONFIG_UNACCEPTED_MEMORY=y, or raise time-outs',
  };
};

function minutes(ms: number): string {
  const count = Math.floor(ms / 60_000);
  return count === 1 ? '1 minute' : `${count} minutes`;
}

export function afterStart(spec: TrustDomain): readonly PlanWarning[] {
  const field = 'spec.memory';
  return [noMultipleOfGib, eagerAccept]
    .map((warn) => warn(spec.memoryBytes))
    .filter((warning) => warning !== undefined)
    .map((warning) => ({ ...warning, field, place: spec.source.locate(field) }));
}
