/** Rules between fields. Each is judged as soon as the fields it reads are valid by themselves. */
import { schemaAt } from './fields.ts';
import type { FieldPath } from './positions.ts';
import { formatBytes } from './quantity.ts';

interface Rule {
  /** Where the finding is placed. */
  readonly field: FieldPath;
  readonly reads: readonly FieldPath[];
  /** Takes the parsed values of `reads`; answers the problem, if there is one. */
  readonly check: (...values: readonly never[]) => string | undefined;
}

const rules: readonly Rule[] = [
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
    // The highest address bit says "shared", so private memory has half of the address space; and
    // less than that, because the hole for devices below 4 GiB takes a part.
    check: (memoryBytes: bigint, gpaw: 48 | 52) => {
      const privateBytes = 1n << BigInt(gpaw - 1);
      return memoryBytes >= privateBytes
        ? `must be less than ${formatBytes(privateBytes)} with gpaw ${gpaw}; this is ${formatBytes(memoryBytes)}`
        : undefined;
    },
  },
];

export interface BrokenRule {
  readonly field: FieldPath;
  readonly problem: string;
}

/** `document` is the file's plain values, which may well be wrong in other places. */
export function brokenRules(document: unknown): BrokenRule[] {
  return rules.flatMap(({ field, reads, check }) => {
    const fields = reads.map((path) => parseField(document, path));
    if (!fields.every((result) => result?.success === true)) return [];
    const problem = check(...(fields.map((result) => result?.data) as never[]));
    return problem === undefined ? [] : [{ field, problem }];
  });
}

function parseField(document: unknown, path: FieldPath) {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return schemaAt(path)?.safeParse(value);
}
