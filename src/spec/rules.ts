/** The rules between fields of a TrustDomain. */
import { formatBytes } from '../documents/quantity.ts';
import type { Rule } from '../documents/rules.ts';
import { engineRules } from './engine-rules.ts';

export const trustDomainRules: readonly Rule[] = [
  {
    field: ['spec', 'maxVcpus'],
    reads: [
      ['spec', 'maxVcpus'],
      ['spec', 'vcpus'],
    ],
    check: (maxVcpus: number | undefined, vcpus: number) =>
      maxVcpus !== undefined && maxVcpus < vcpus
        ? `must be at least vcpus, which is ${vcpus}; this is ${maxVcpus}`
        : undefined,
  },
  {
    field: ['spec', 'memory'],
    reads: [
      ['spec', 'memory'],
      ['spec', 'gpaw'],
    ],
    // The highest address bit says "shared", so private memory has half of the address space. It
    // has less than that, because the hole for devices below 4 GiB takes a part.
    check: (memoryBytes: bigint, gpaw: 48 | 52) => {
      const privateBytes = 1n << BigInt(gpaw - 1);
      return memoryBytes >= privateBytes
        ? `must be less than ${formatBytes(privateBytes)} with gpaw ${gpaw}; this is ${formatBytes(memoryBytes)}`
        : undefined;
    },
  },
  ...engineRules,
];
