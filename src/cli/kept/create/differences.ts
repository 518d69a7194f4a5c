/** What a TD that is kept is otherwise than a file would have it: nothing of it can be changed. */
import { formatBytes } from '../../../documents/quantity.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import { parseTrustDomain } from '../../../spec/index.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';
import type { NamedSpec } from './prepare.ts';

/** A line for each field: `spec.vcpus: 4 → 8`. */
export function differences(
  { spec, host }: NamedSpec,
  { kernel }: { readonly kernel?: string | undefined },
  kept: KeepRequest,
): readonly string[] {
  const before = fieldsOf(parseTrustDomain(kept.spec, { path: kept.specPath }));
  const after = fieldsOf(spec);
  const asked: Fields = { ...after, '--host': host, '--kernel': kernel ?? 'the default' };
  const was: Fields = { ...before, '--host': kept.host, '--kernel': kept.kernel ?? 'the default' };
  const all = [...new Set([...Object.keys(was), ...Object.keys(asked)])];
  return all
    .filter((field) => was[field] !== asked[field])
    .map((field) => `${field}: ${was[field] ?? 'none'} → ${asked[field] ?? 'none'}`);
}

type Fields = Readonly<Record<string, string>>;

/** Dotted, as in the file. Its name may be another one by `--name`, and where it lies says nothing of the TD. */
function fieldsOf({
  source: _,
  name: __,
  labels,
  annotations,
  memoryBytes,
  ...spec
}: TrustDomain): Fields {
  return Object.fromEntries([
    ...leaves('metadata', { labels, annotations }),
    ...leaves('spec', { memory: formatBytes(memoryBytes), ...spec }),
  ]);
}

function leaves(path: string, value: unknown): (readonly [string, string])[] {
  if (value === undefined) return [];
  if (value instanceof Uint8Array) return [[path, Buffer.from(value).toString('hex')]];
  if (typeof value === 'bigint') return [[path, `0x${value.toString(16)}`]];
  if (typeof value !== 'object' || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, each]) => leaves(`${path}.${key}`, each));
}
