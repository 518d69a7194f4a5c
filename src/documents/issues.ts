/** Puts zod's issues in our words, at their places. zod's own messages are for programmers. */
import { z } from 'zod';
import type { Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import { type FieldPath, type Positions, valueAt } from './positions.ts';
import type { SchemaFields } from './schema-fields.ts';
import { describeValue, oneOf, quote } from './wording.ts';

/** What a schema says of its own field goes before this, and most issues are worded below. */
z.config({
  localeError: ({ code }) =>
    code === 'invalid_format' ? 'does not have the form that it must have' : 'is not allowed here',
});

type Issue = z.core.$ZodIssue;

interface Source {
  readonly value: unknown;
  readonly positions: Positions;
  readonly fields: SchemaFields;
}

/** An issue can have several findings, as one about unknown keys has. */
export function findingsOf(issue: Issue, source: Source, parent: FieldPath = []): Finding[] {
  const path = [...parent, ...(issue.path as FieldPath)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], source));
  }
  if (issue.code === 'invalid_key') {
    const problem = issue.issues[0]?.message ?? 'is not allowed as a name';
    return [{ field: path.join('.'), problem, place: source.positions.ofKey(path) }];
  }
  if (issue.code === 'invalid_union') {
    const branch = branchFor(issue, valueAt(source.value, path));
    if (branch !== undefined) {
      return branch.flatMap((inner) => findingsOf(inner, source, path));
    }
  }
  if (isMisspelt(path, source)) return [];
  const place = source.positions.ofValue(path);
  return [{ field: path.join('.'), problem: problemOf(issue, path, source), place }];
}

/** Finds the form of a union that is meant: the one that does not refuse the value's type. */
function branchFor(issue: z.core.$ZodIssueInvalidUnion, value: unknown): Issue[] | undefined {
  if (value === undefined || value === null) return undefined;
  return issue.errors.find(
    (branch) => !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
  );
}

/** A field may be missing only because its key is misspelt, which is a finding of its own. */
function isMisspelt(path: FieldPath, source: Source): boolean {
  const parentPath = path.slice(0, -1);
  const parent = valueAt(source.value, parentPath);
  if (valueAt(source.value, path) !== undefined || typeof parent !== 'object') return false;
  const siblings = source.fields.knownKeys(parentPath);
  return Object.keys(parent ?? {}).some(
    (key) => !siblings.includes(key) && nearest(key, siblings) === path.at(-1),
  );
}

function unknownKey(path: FieldPath, source: Source): Finding {
  const place = source.positions.ofKey(path);
  return { field: path.join('.'), problem: unknownKeyProblem(path, source.fields), place };
}

function unknownKeyProblem(path: FieldPath, fields: SchemaFields): string {
  const key = String(path.at(-1));
  const siblings = fields.knownKeys(path.slice(0, -1));
  const meant = nearest(key, siblings);
  if (meant !== undefined) return `is an unknown key; did you mean ${meant}?`;
  const elsewhere = fields.all.find((field) => field.at(-1) === key);
  if (elsewhere !== undefined) return `is not known here; it belongs at ${elsewhere.join('.')}`;
  return `is an unknown key; the keys here are ${siblings.join(', ')}`;
}

function problemOf(issue: Issue, path: FieldPath, source: Source): string {
  const value = valueAt(source.value, path);
  if (value === undefined) return `is missing${exampleOf(path, source.fields)}`;
  if (value === null) return `has no value${exampleOf(path, source.fields)}`;
  switch (issue.code) {
    case 'invalid_type':
      return typeProblem(issue.expected, value, source.positions.sourceOf(path));
    case 'invalid_union':
      return `must be ${oneOf(expectedTypes(issue).map(typeName))}; this is ${describeValue(value)}`;
    case 'invalid_value':
      return choiceProblem(issue.values, value);
    case 'too_small':
      return value === '' ? 'must not be empty' : sizeProblem(value, `at least ${issue.minimum}`);
    case 'too_big':
      return sizeProblem(value, `at most ${issue.maximum}`);
    case 'invalid_format':
      return `${issue.message}; this is ${describeValue(value)}`;
    default:
      return issue.message;
  }
}

/** A number is measured by what it is, text and lists by how long they are. */
function sizeProblem(value: unknown, bound: string): string {
  if (typeof value === 'string') {
    return `must have ${bound} characters; this has ${value.length}`;
  }
  if (typeof value === 'object' && value !== null) {
    return `must have ${bound} entries; this has ${Object.keys(value).length}`;
  }
  return `must be ${bound}; this is ${String(value)}`;
}

const longestExample = 60;

/** Gives an example of one line. A map would only be long, so it has none. */
function exampleOf(path: FieldPath, fields: SchemaFields): string {
  const example = fields.doc(path)?.example;
  const isMap = typeof example === 'object' && !Array.isArray(example);
  if (example === undefined || isMap) return '';
  const text = Array.isArray(example) ? `[${example.join(', ')}]` : String(example);
  return text.length > longestExample ? '' : `; for example: ${String(path.at(-1))}: ${text}`;
}

/** `sourceText` is what the file really says, because YAML has read `0x10` as 16 and `1.0` as 1. */
function typeProblem(expected: string, value: unknown, sourceText: string | undefined): string {
  if (expected === 'string' && isScalar(value)) {
    return `must be text, and YAML reads ${quote(sourceText ?? String(value))} as ${describeValue(value)}; put it in quotes`;
  }
  if (isNumeric(expected) && typeof value === 'string' && /^\d{1,9}$/.test(value)) {
    return `must be a whole number; write ${value} without quotes`;
  }
  if (isNumeric(expected) && typeof value === 'bigint') {
    return `is too large; this is ${describeValue(value)}`;
  }
  return `must be ${typeName(expected)}; this is ${describeValue(value)}`;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function isNumeric(expected: string): boolean {
  return expected === 'int' || expected === 'number';
}

function typeName(expected: string): string {
  if (isNumeric(expected)) return 'a whole number';
  if (expected === 'string') return 'text';
  if (expected === 'object' || expected === 'record') return 'a map (key: value)';
  return expected === 'array' ? 'a list' : expected;
}

function expectedTypes(issue: z.core.$ZodIssueInvalidUnion): string[] {
  return issue.errors.flatMap((branch) =>
    branch.flatMap((inner) => (inner.code === 'invalid_type' ? [inner.expected] : [])),
  );
}

function choiceProblem(values: readonly unknown[], value: unknown): string {
  const choices = values.map(String);
  const quoted = values.find((choice) => typeof choice === 'number' && String(choice) === value);
  if (quoted !== undefined) return `must be ${oneOf(choices)}; write ${quoted} without quotes`;
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  const question = meant !== undefined && choices.length > 1 ? `; did you mean ${meant}?` : '';
  return `must be ${oneOf(choices)}; this is ${describeValue(value)}${question}`;
}
