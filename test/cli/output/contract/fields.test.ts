/** A field has one name, one type and one unit in all documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputSchemaTexts } from '../../../../src/cli/output/contract/json-schema.ts';
import { projectRoot } from '../../../support/tdctl.ts';

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
}

interface Field {
  readonly name: string;
  readonly form: string;
  readonly file: string;
}

const files = [...outputSchemaTexts()].map(([file, text]) => ({
  file,
  text,
  schema: JSON.parse(text) as Schema,
}));
const fields = files.flatMap(({ file, schema }) => [...fieldsIn(schema, { root: schema, file })]);

interface Place {
  readonly root: Schema;
  readonly file: string;
}

function* fieldsIn(schema: Schema, place: Place): Generator<Field> {
  for (const form of formsOf(schema, place.root)) {
    for (const [name, of] of Object.entries(form.properties ?? {})) {
      yield { name, form: describeForm(of, place.root), file: place.file };
      yield* fieldsIn(of, place);
    }
    if (form.items !== undefined) yield* fieldsIn(form.items, place);
    if (form.additionalProperties) yield* fieldsIn(form.additionalProperties, place);
  }
}

/** All that a value may be, with references followed; null says only that it may be missing. */
function formsOf(schema: Schema, root: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '');
    const meant = root.$defs?.[name];
    if (meant === undefined) throw new Error(`${schema.$ref} leads nowhere`);
    return formsOf(meant, root);
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.flatMap((each) => formsOf(each, root));
  if (typeof schema.type !== 'object') return schema.type === 'null' ? [] : [schema];
  return schema.type.filter((type) => type !== 'null').map((type) => ({ ...schema, type }));
}

/** Its type, and for text and numbers what is in it. */
function describeForm(schema: Schema, root: Schema): string {
  const forms = formsOf(schema, root).map((form) => {
    if (form.type === 'array') return `list of ${describeForm(form.items ?? {}, root)}`;
    if (form.additionalProperties) return `map of ${describeForm(form.additionalProperties, root)}`;
    if (form.type === 'integer' || form.type === 'number') return 'number';
    return form.type === 'string' && form.pattern?.startsWith('^0x') ? 'hex text' : form.type;
  });
  return [...new Set(forms)].sort().join(' or ');
}

/** Names that mean different things in different places, and why they keep their name. */
const exceptions: Readonly<Record<string, string>> = {
  module: 'in `limits` each number has the name of what sets it',
  vcpu: 'the step of a script may be that of all other vCPUs',
  vcpus: 'how many there are, and which of them are started, created or initialized',
  pages: 'how many there are, and how many were added and measured',
  status: 'of a check of doctor it is a word, of a program its exit status',
  measured: 'of a section whether it is, of the pages of a VM how many are',
  version: 'of a document a number, of the TDX module its release',
};

describe('of all documents', () => {
  const names = [...new Set(fields.map(({ name }) => name))].sort();
  const formsByName = new Map(
    names.map((name) => [
      name,
      [...new Set(fields.filter((field) => field.name === name).map(({ form }) => form))],
    ]),
  );
  const differing = [...formsByName].filter(([, forms]) => forms.length > 1);

  test('a name has one type and unit, but for the exceptions', () => {
    const found = differing.filter(([name]) => !(name in exceptions));
    expect(
      found.map(([name, forms]) => [
        name,
        ...forms.map(
          (form) =>
            `${form}: ${[...new Set(fields.filter((f) => f.name === name && f.form === form).map(({ file }) => file))].join(' ')}`,
        ),
      ]),
    ).toEqual([]);
  });

  test('no exception is stale', () => {
    const stale = Object.keys(exceptions).filter(
      (name) => !differing.some(([other]) => other === name),
    );
    expect(stale).toEqual([]);
  });

  test.each(['Bytes', 'Ms', 'Khz'])('names that end in %s are of numbers', (unit) => {
    const wrong = fields.filter(
      ({ name, form }) => name.endsWith(unit) && !['number', 'map of number'].includes(form),
    );
    expect(wrong).toEqual([]);
  });

  test('sizes and times have their unit in the name', () => {
    const bare = fields.filter(({ name }) => /^(size|bytes|duration|elapsed|time)$/i.test(name));
    expect(bare).toEqual([]);
  });

  test('every object is closed: an unknown field is no part of the contract', () => {
    const open = files.filter(({ text }) =>
      /"properties"/.test(text) ? !/"additionalProperties": false/.test(text) : false,
    );
    expect(open.map(({ file }) => file)).toEqual([]);
  });
});

test.each(files)('schema/output/$file is what is exported now (else: npm run schema)', (each) => {
  expect(readFileSync(join(projectRoot, 'schema/output', each.file), 'utf8')).toBe(each.text);
});

test('schema/output/ has no other file', () => {
  const names = files.map(({ file }) => file);
  expect(readdirSync(join(projectRoot, 'schema/output')).sort()).toEqual(names.sort());
});

test('no command loads the schemas: they take the types alone', () => {
  const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('output/contract/'))
    .map((name) => [name, readFileSync(join(projectRoot, 'src', name), 'utf8')] as const);
  const importing = sources.filter(([, text]) => /from '[^']*contract\/index\.ts'/.test(text));
  const loading = importing.filter(([, text]) =>
    /^import (?!type )[^;]*from '[^']*contract\/index\.ts'/m.test(text),
  );
  expect(importing.length).toBeGreaterThan(0);
  expect(loading.map(([name]) => name)).toEqual([]);
});
