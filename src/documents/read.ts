/** Turns the text of a file into its object, or into every finding about it. It is pure. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { readDocument, type YamlDocument } from './document.ts';
import { type Finding, formatFinding, formatPlace } from './finding.ts';
import { findingsOf } from './issues.ts';
import type { FieldPath } from './positions.ts';
import { brokenRules, type Rule } from './rules.ts';
import type { SchemaFields } from './schema-fields.ts';

/** A kind of file that tdctl reads. */
export interface FileFormat<Schema extends z.ZodType> {
  /** The kind as the file itself says it: `TrustDomain`. */
  readonly kind: string;
  readonly schema: Schema;
  readonly fields: SchemaFields;
  readonly rules?: readonly Rule[];
  /** Where someone looks who has mistakes in such a file. */
  readonly help: string;
}

/** The file behind an object, so that whoever finds fault later can name the line. */
export interface FileSource {
  /** The path as it was given to tdctl. */
  readonly path: string;
  /** The SHA-256 of what was read, in hexadecimal. The file may be another by now, or a pipe that is empty. */
  readonly sha256: string;
  /**
   * Gives `file:line:col` of a dotted field (`spec.memory`, `spec.attributes.0`). A field that is
   * not in the file has the place of its nearest parent that is.
   */
  locate(field: string): string;
  /**
   * Writes a finding as the loader itself does: `file:line:col: field: problem`, the source line
   * and a caret under the value. Control characters become visible.
   */
  finding(options: { readonly field: string; readonly problem: string }): string;
}

export type Reading<Data> = { readonly data: Data; readonly source: FileSource } | Findings;

export interface Findings {
  /** The findings are in the order of the file. */
  readonly findings: readonly Finding[];
  readonly format: (finding: Finding) => string;
}

/** This never throws for any text. */
export function readObject<Schema extends z.ZodType>(
  text: string,
  options: { readonly path: string; readonly format: FileFormat<Schema> },
): Reading<z.output<Schema>> {
  const { path } = options;
  const { schema, fields, rules = [] } = options.format;
  // The mark is stripped before anything counts columns, since editors do not count it either.
  const document = readDocument(text.replace(/^\uFEFF/, ''));
  const format = (finding: Finding) => formatAt(path, document, finding);
  const { value, positions, faulty } = document;
  if ((value === undefined || value === null) && document.findings.length === 0) {
    return { findings: [emptyFile(document, options.format)], format };
  }
  if (value === undefined) return { findings: document.findings, format };
  const file = schema.safeParse(value);
  const issues = file.success
    ? []
    : file.error.issues.flatMap((issue) => findingsOf(issue, { value, positions, fields }));
  const broken = brokenRules(value, { rules, fields }).map(({ field, problem }) => ({
    field: field.join('.'),
    problem,
    place: positions.ofValue(field),
  }));
  const fresh = [...issues, ...broken].filter(({ field }) => !isBelow(field, faulty));
  const findings = [...document.findings, ...fresh].sort(byPlace);
  if (!file.success || findings.length > 0) return { findings, format };
  return { data: file.data, source: sourceOf(path, { text, document }) };
}

function emptyFile(
  document: YamlDocument,
  { kind, fields }: { readonly kind: string; readonly fields: SchemaFields },
): Finding {
  const keys = fields.knownKeys([]);
  const problem = `holds nothing; a ${kind} starts with ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}`;
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

function formatAt(path: string, document: YamlDocument, finding: Finding): string {
  return formatFinding(path, finding, document.positions.lineText(finding.place.line));
}

function sourceOf(
  path: string,
  { text, document }: { readonly text: string; readonly document: YamlDocument },
): FileSource {
  const { positions } = document;
  const placeOf = (field: string) => positions.ofValue(splitField(field));
  return {
    path,
    sha256: createHash('sha256').update(text).digest('hex'),
    locate: (field) => formatPlace(path, placeOf(field)),
    finding: ({ field, problem }) =>
      formatAt(path, document, { field, problem, place: placeOf(field) }),
  };
}

function splitField(field: string): FieldPath {
  return field.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
