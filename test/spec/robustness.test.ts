import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readTrustDomain } from '../../src/spec/index.ts';
import { refusalOf } from './refusal.ts';
import { specText } from './valid-spec.ts';

/** Whatever the text: no throw, and every finding lies in the file. */
function holds(text: string): void {
  const reading = readTrustDomain(text, { path: 'td.yaml' });
  if ('trustDomain' in reading) return;
  expect(reading.findings.length).toBeGreaterThan(0);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const finding of reading.findings) {
    const { line, column } = finding.place;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
    expect(finding.problem).not.toBe('');
    // The only line ends are those between headline, source line and caret.
    expect(reading.format(finding).split('\n')).toHaveLength(3);
  }
}

const valid = specText({
  maxVcpus: '4',
  attributes: '[sept-ve-disable, debug]',
  xfam: '0x7',
  tsc: '1.5GHz',
  gpaw: '52',
  identity: `{ mrOwner: ${'ab'.repeat(48)} }`,
  measurement: '\n    order: section',
});

const yamlNoise = fc.constantFrom(
  ...['\n', '  ', '\t', '- ', ': ', '? ', '{', '}', '[', ']', '"', "'", '|', '>', '#', '&a ', '*a'],
  ...['---\n', '...\n', '%YAML 1.1\n', '!!binary ', '!x ', '~', '<<: ', '\r', '\r\n', '\u0000'],
  ...['__proto__', '0x10', '1e999', '.nan', '9'.repeat(400), '\u001b[31m', '\ud800', '日本'],
);

const mutated = fc
  .array(
    fc.record({
      at: fc.nat({ max: valid.length }),
      remove: fc.nat({ max: 6 }),
      insert: fc.oneof(yamlNoise, fc.string({ maxLength: 4, unit: 'binary' })),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((edits) =>
    edits.reduce(
      (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
      valid,
    ),
  );

const knownKey = fc.constantFrom(
  ...['apiVersion', 'kind', 'metadata', 'name', 'labels', 'spec', 'vcpus', 'maxVcpus', 'memory'],
  ...['firmware', 'path', 'vars', 'attributes', 'xfam', 'tsc', 'gpaw', 'identity', 'mrOwner'],
  ...['measurement', 'expect', 'order', 'toString', '__proto__', 'constructor'],
);

const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(knownKey, fc.string({ maxLength: 8 })), tie('tree'), { maxKeys: 8 }),
  ),
  leaf: fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.constantFrom('2GiB', '1.5GHz', 'page', 'debug', 'TrustDomain', 'tdctl.io/v1alpha1'),
  ),
}));

describe('the loader answers, and points into the file,', () => {
  propertyTest.prop([fc.string({ unit: 'binary', maxLength: 200 })], { numRuns: 500 })(
    'for any text',
    holds,
  );

  propertyTest.prop([fc.array(yamlNoise, { maxLength: 60 }).map((parts) => parts.join(''))], {
    numRuns: 1000,
  })('for any heap of YAML syntax', holds);

  propertyTest.prop([mutated], { numRuns: 1000 })('for a valid file with random edits', holds);

  propertyTest.prop([tree], { numRuns: 500 })('for any YAML document', (value) => {
    holds(stringify(value));
    holds(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item)));
  });

  propertyTest.prop([
    fc.record({ apiVersion: tree, kind: tree, metadata: tree, spec: tree }, { requiredKeys: [] }),
  ])('for any document of the right outline', (value) => {
    holds(stringify(value));
  });
});

describe('a file made to cost time or stack', () => {
  const megabyte = 1024 * 1024;
  it.each([
    ['open brackets', '['.repeat(megabyte)],
    ['open maps', '{a: '.repeat(megabyte / 4)],
    ['lists in lists', '- '.repeat(megabyte / 2)],
    ['keys of keys', '? '.repeat(megabyte / 2)],
    ['indented maps', Array.from({ length: 1000 }, (_, n) => `${' '.repeat(n)}a:`).join('\n')],
  ])('is refused for its depth: %s', (_, text) => {
    expect(refusalOf(text)?.details.join()).toContain('nested too deeply');
  });

  it('gains nothing from aliases: they are not followed', () => {
    const bomb = ['a: &a [x, x]', 'b: &b [*a, *a]', 'c: &c [*b, *b]', 'd: [*c, *c]'].join('\n');
    expect(refusalOf(bomb)?.details.join()).toContain('does not follow aliases');
  });

  it('may have a key that is called as a property of texts and lists', () => {
    for (const length of ['{ a: 1 }', '5', '[]']) {
      const text = specText({}, `{ name: { length: ${length} } }`);
      expect(refusalOf(text)?.details.join()).toContain('metadata.name');
    }
  });

  it('cannot reach the prototype of anything', () => {
    const text = `${specText({}, '{ name: a, labels: { __proto__: x } }')}__proto__: { vcpus: 9 }\n`;
    const details = refusalOf(text)?.details.join();
    expect(details).toContain('metadata.labels.__proto__: is not allowed as a key');
    expect(details).toContain(': __proto__: is not allowed as a key');
    expect(({} as Record<string, unknown>).vcpus).toBeUndefined();
  });
});
