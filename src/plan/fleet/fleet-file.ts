/** Reads fleet files: which VMs a host has. It loads zod and yaml: import it where one is read. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { envelope } from '../../documents/envelope.ts';
import { invalidFile } from '../../documents/invalid.ts';
import { notation } from '../../documents/notation.ts';
import { type Parsed, parsed, refused } from '../../documents/parsed.ts';
import { type FileFormat, readObject } from '../../documents/read.ts';
import { SchemaFields } from '../../documents/schema-fields.ts';
import { readTextFile } from '../../documents/text-file.ts';
import { describeValue } from '../../documents/wording.ts';
import { loadTrustDomain } from '../../spec/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { groupProblems } from './check-group.ts';
import { type Fleet, kvmMaxVcpusRange, type VmGroup } from './fleet.ts';

/** With these the arithmetic of the tables stays exact. */
const most = { vms: 1_000_000, vcpus: 1_000_000, groups: 1000 } as const;

function parseMaxVcpus(value: unknown): Parsed<number | 'unbounded'> {
  if (value === 'unbounded') return parsed(value);
  const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 1;
  return isCount && value <= most.vcpus
    ? parsed(value)
    : refused(`must be a whole number from 1, or unbounded; this is ${describeValue(value)}`);
}

const vmGroup = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: 'What these VMs are.', examples: ['web'] }),
  type: z
    .enum(['plain', 'td'])
    .default('plain')
    .meta({ description: 'An ordinary VM, or a TD.', examples: ['plain'] }),
  count: z
    .int()
    .min(1)
    .max(most.vms)
    .default(1)
    .meta({ description: 'How many there are.', examples: [400] }),
  spec: z
    .string()
    .min(1)
    .optional()
    .meta({
      description:
        'The TrustDomain file of these TDs, relative to this file, in place of type, vcpus and maxVcpus.',
      examples: ['../td.yaml'],
    }),
  vcpus: z
    .int()
    .min(1)
    .max(most.vcpus)
    .optional()
    .meta({ description: 'vCPUs of each that run. Needed without `spec`.', examples: [4] }),
  maxVcpus: notation(parseMaxVcpus, {
    description: 'The most each will ever have, or unbounded. Default: vcpus.',
    examples: [8, 'unbounded'],
  }).optional(),
  maxVcpuId: z
    .int()
    .min(0)
    .max(most.vcpus)
    .optional()
    .meta({ description: 'The largest vCPU id. Default: maxVcpus - 1.', examples: [15] }),
});

export const fleetSchema = envelope({
  kind: 'Fleet',
  what: 'the fleet',
  exampleName: 'mixed',
  spec: z
    .strictObject({
      kvmMaxVcpus: z
        .int()
        .min(kvmMaxVcpusRange.min)
        .max(kvmMaxVcpusRange.max)
        .default(kvmMaxVcpusRange.default)
        .meta({ description: 'KVM_MAX_VCPUS of the kernel.', examples: [1024] }),
      vms: z
        .array(vmGroup)
        .min(1)
        .max(most.groups)
        .meta({ description: 'Groups of equal VMs.', examples: [[{ name: 'web', vcpus: 4 }]] }),
    })
    .superRefine(({ kvmMaxVcpus, vms }, context) => {
      const names = new Map<string, number>();
      for (const [index, vm] of vms.entries()) {
        const refuse = (field: string, message: string) =>
          context.addIssue({ code: 'custom', path: ['vms', index, field], message });
        // Values that are wrong by themselves have been found already.
        const isSound = (vm.vcpus ?? 1) >= 1 && (vm.maxVcpuId ?? 0) >= 0;
        const { vcpus } = vm;
        const problems =
          isSound && vcpus !== undefined && vm.spec === undefined
            ? groupProblems(countedGroup({ ...vm, vcpus }), { kvmMaxVcpus })
            : [];
        for (const field of vm.spec === undefined ? [] : fieldsOfSpec) {
          if (vm[field] !== undefined) refuse(field, 'is said by the file of `spec`');
        }
        if (vm.spec === undefined && vcpus === undefined) refuse('vcpus', 'is missing');
        for (const { field, problem } of problems) refuse(field, problem);
        const first = names.get(vm.name);
        if (first === undefined) names.set(vm.name, index);
        else refuse('name', `is the name of another group too, the ${ordinal(first)} of the list`);
      }
    })
    .meta({ description: 'What the fleet is made of.', examples: [{}] }),
});

const format: FileFormat<typeof fleetSchema> = {
  kind: 'Fleet',
  schema: fleetSchema,
  fields: new SchemaFields(fleetSchema),
  help: 'docs/footprint.md explains every field; examples/fleets/ has files that are right',
};

const starter = () => 'examples/fleets/mixed.yaml is one to start from';

/** @throws TdctlError as for TrustDomain files: not found, not readable, or all mistakes. */
export async function loadFleet(path: string): Promise<Fleet> {
  return readFleet(await readTextFile(path, { kind: format.kind, starter }), { path });
}

/** Reads the TrustDomain files that the text names too. */
export async function readFleet(text: string, { path }: { readonly path: string }): Promise<Fleet> {
  const { spec } = parsedFile(text, path);
  const named = [...new Set(spec.vms.flatMap((vm) => vm.spec ?? []))];
  const tds = await Promise.all(
    named.map(async (file) => [file, await loadTrustDomain(resolve(dirname(path), file))] as const),
  );
  return parseFleet(text, { path, tds: new Map(tds) });
}

/**
 * @param tds those that the file names, by the path that stands there.
 * @throws TdctlError TDCTL_E_SPEC_INVALID with every finding and its `file:line:col`.
 */
export function parseFleet(
  text: string,
  {
    path,
    tds = new Map(),
  }: { readonly path: string; readonly tds?: ReadonlyMap<string, TrustDomain> },
): Fleet {
  const { metadata, spec } = parsedFile(text, path);
  return {
    name: metadata.name,
    kvmMaxVcpus: spec.kvmMaxVcpus,
    groups: spec.vms.map((vm) => groupOf(vm, tds)),
  };
}

function parsedFile(text: string, path: string) {
  const reading = readObject(text, { path, format });
  if ('findings' in reading) throw invalidFile(reading, { ...format, path });
  return reading.data;
}

function groupOf(vm: GroupInFile, tds: ReadonlyMap<string, TrustDomain>): VmGroup {
  const { spec, vcpus, ...rest } = vm;
  if (spec === undefined && vcpus !== undefined) return countedGroup({ ...rest, vcpus });
  const td = tds.get(spec ?? '');
  if (td === undefined) throw new Error(`nobody has read ${spec}, which the fleet names`);
  const { maxVcpus } = td;
  return { ...rest, type: 'td', vcpus: td.vcpus, maxVcpus, maxVcpuId: undefined, td };
}

type GroupInFile = z.output<typeof vmGroup>;

/** What a TrustDomain file says better. */
const fieldsOfSpec = ['vcpus', 'maxVcpus', 'maxVcpuId'] as const;

function countedGroup(
  vm: Omit<GroupInFile, 'spec' | 'vcpus'> & { readonly vcpus: number },
): VmGroup {
  const { name, type, count, vcpus, maxVcpus = vcpus, maxVcpuId } = vm;
  return { name, type, count, vcpus, maxVcpus, maxVcpuId };
}

function ordinal(index: number): string {
  return ['first', 'second', 'third'][index] ?? `${index + 1}th`;
}
