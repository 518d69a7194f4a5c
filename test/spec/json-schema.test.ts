import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trustDomainJsonSchemaText } from '../../src/spec/json-schema.ts';
import { trustDomainFormat } from '../../src/spec/read.ts';
import { headlines } from './refusal.ts';
import { specText } from './valid-spec.ts';

const trustDomainFields = trustDomainFormat.fields;
const allFields = trustDomainFields.all;

/** The keywords that matter here. */
interface Schema {
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

describe('schema/trust-domain.json', () => {
  it('is what the schema exports now (else: npm run build && node scripts/export-schema.mjs)', () => {
    expect(readFileSync('schema/trust-domain.json', 'utf8')).toBe(trustDomainJsonSchemaText());
  });

  it.each(allFields.map((path) => path.join('.')))('has for %s what an editor shows', (field) => {
    const schema = schemaOf(field.split('.'));
    expect(schema.description).toMatch(/^\S.{10,}\.$/s);
    expect(schema.examples).toHaveLength(1);
  });

  it('has a pattern that takes exactly the notations that the loader takes', () => {
    for (const [field, values] of Object.entries(notations)) {
      for (const [value, isNotation] of values) {
        const pattern = schemaOf(field.split('.')).pattern ?? '';
        const [, key = ''] = field.split('.');
        expect(new RegExp(pattern).test(value), value).toBe(isNotation);
        expect(headlines(specText({ [key]: value })).length === 0, value).toBe(isNotation);
      }
    }
  });
});

const notations: Record<string, readonly (readonly [string, boolean])[]> = {
  'spec.memory': [
    ['2GiB', true],
    ['1.5TiB', true],
    ['1073741824', true],
    ['2GB', false],
    ['2 GiB', false],
  ],
  'spec.tsc': [
    ['1.5GHz', true],
    ['2000MHz', true],
    ['2000000kHz', true],
    ['2000', false],
    ['2ghz', false],
  ],
};

/** The part of the JSON Schema for a field; of two forms, the one with keys. */
function schemaOf(path: readonly string[]): Schema {
  let schema: Schema = JSON.parse(trustDomainJsonSchemaText());
  for (const key of path) {
    const forms = schema.anyOf ?? [schema];
    const form = forms.find((candidate) => candidate.properties !== undefined);
    schema = form?.properties?.[key] ?? {};
  }
  return schema;
}

describe('docs/spec.md', () => {
  const page = readFileSync('docs/spec.md', 'utf8');

  it.each(allFields.map((path) => path.join('.')))('has a heading or a row for %s', (field) => {
    expect(page).toMatch(new RegExp(`^(#+ |\\| )\`${field.replaceAll('.', '\\.')}\``, 'm'));
  });

  it('has no heading and no row for a field that is not there', () => {
    const known = allFields.map((path) => path.join('.'));
    const documented = [...page.matchAll(/^(?:#+ |\| )`((?:spec|metadata)\.[\w.]+)`/gm)];
    expect(
      documented.map((match) => match[1]).filter((field) => !known.includes(field ?? '')),
    ).toEqual([]);
  });

  it('has examples that load', () => {
    const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1] ?? '');
    const whole = examples.filter((text) => text.startsWith('apiVersion'));
    expect(whole.length).toBeGreaterThan(0);
    for (const text of whole) expect(headlines(text)).toEqual([]);
    for (const text of examples.filter((part) => part.startsWith('spec:'))) {
      expect(headlines(withSpecOf(text))).toEqual([]);
    }
  });
});

/** A part of a spec, completed to a file. */
function withSpecOf(part: string): string {
  const needed = { vcpus: '2', memory: '2GiB', firmware: 'OVMF.fd' };
  const missing = Object.entries(needed).filter(([key]) => !part.includes(`  ${key}:`));
  const head = 'apiVersion: tdctl.io/v1alpha1\nkind: TrustDomain\nmetadata: { name: a }\n';
  return head + part.trimEnd() + missing.map(([key, value]) => `\n  ${key}: ${value}`).join('');
}

describe('every field', () => {
  it('has a description and an example', () => {
    for (const path of allFields)
      expect(trustDomainFields.doc(path)?.example, path.join('.')).toBeDefined();
  });
});
