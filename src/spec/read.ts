/** The text of a TrustDomain file to a TrustDomain, or to every finding about it. Pure. */
import { dirname, resolve } from 'node:path';
import { toHex } from './bytes48.ts';
import { readDocument, type SpecDocument } from './document.ts';
import { type Finding, formatFinding, formatPlace } from './finding.ts';
import { findingsOf } from './issues.ts';
import type { FieldPath } from './positions.ts';
import { brokenRules } from './rules.ts';
import { type TrustDomainFile, trustDomainSchema } from './schema.ts';
import type { SpecSource, TrustDomain } from './trust-domain.ts';

export type SpecReading =
  | { readonly trustDomain: TrustDomain }
  | { readonly findings: readonly Finding[]; readonly format: (finding: Finding) => string };

/** Never throws for any text. `findings` come in the order of the file. */
export function readTrustDomain(text: string, options: { readonly path: string }): SpecReading {
  // Stripped before anything counts columns: editors do not count it either.
  const document = readDocument(text.replace(/^\uFEFF/, ''));
  const format = (finding: Finding) => formatAt(options.path, document, finding);
  const { value, positions, faulty } = document;
  if ((value === undefined || value === null) && document.findings.length === 0) {
    return { findings: [emptyFile(document)], format };
  }
  if (value === undefined) return { findings: document.findings, format };
  const file = trustDomainSchema.safeParse(value);
  const issues = file.success
    ? []
    : file.error.issues.flatMap((issue) => findingsOf(issue, { value, positions }));
  const rules = brokenRules(value).map(({ field, problem }) => ({
    field: field.join('.'),
    problem,
    place: positions.ofValue(field),
  }));
  const fresh = [...issues, ...rules].filter(({ field }) => !isBelow(field, faulty));
  const findings = [...document.findings, ...fresh].sort(byPlace);
  if (!file.success || findings.length > 0) return { findings, format };
  return { trustDomain: resolveDefaults(file.data, sourceOf(options.path, document)) };
}

function emptyFile(document: SpecDocument): Finding {
  const problem = 'holds nothing; a TrustDomain starts with apiVersion, kind, metadata and spec';
  return { field: '', problem: `the file ${problem}`, place: document.positions.ofDocument() };
}

function isBelow(field: string, parents: readonly FieldPath[]): boolean {
  return parents.some((path) => {
    const parent = path.join('.');
    return parent === '' || field === parent || field.startsWith(`${parent}.`);
  });
}

function byPlace(one: Finding, other: Finding): number {
  return one.place.line - other.place.line || one.place.column - other.place.column;
}

function formatAt(path: string, document: SpecDocument, finding: Finding): string {
  return formatFinding(path, finding, document.positions.lineText(finding.place.line));
}

function sourceOf(path: string, document: SpecDocument): SpecSource {
  const { positions } = document;
  const placeOf = (field: string) => positions.ofValue(splitField(field));
  return {
    path,
    locate: (field) => formatPlace(path, placeOf(field)),
    finding: ({ field, problem }) =>
      formatAt(path, document, { field, problem, place: placeOf(field) }),
  };
}

function splitField(field: string): FieldPath {
  return field.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function resolveDefaults({ metadata, spec }: TrustDomainFile, source: SpecSource): TrustDomain {
  const { identity, measurement } = spec;
  return {
    name: metadata.name,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    vcpus: spec.vcpus,
    maxVcpus: spec.maxVcpus ?? spec.vcpus,
    memoryBytes: spec.memory,
    firmware: resolveFirmware(spec.firmware, dirname(source.path)),
    attributes: spec.attributes,
    xfam: spec.xfam,
    tscKhz: spec.tsc,
    gpaw: spec.gpaw,
    identity: {
      mrConfigId: identity.mrConfigId ?? new Uint8Array(48),
      mrOwner: identity.mrOwner ?? new Uint8Array(48),
      mrOwnerConfig: identity.mrOwnerConfig ?? new Uint8Array(48),
    },
    measurement: {
      expect: measurement.expect === undefined ? undefined : toHex(measurement.expect),
      order: measurement.order,
    },
    source,
  };
}

function resolveFirmware(
  firmware: TrustDomainFile['spec']['firmware'],
  directory: string,
): TrustDomain['firmware'] {
  if (typeof firmware === 'string') return { path: resolve(directory, firmware) };
  const path = resolve(directory, firmware.path);
  if (firmware.vars === undefined) return { path };
  return { path, varsPath: resolve(directory, firmware.vars) };
}
