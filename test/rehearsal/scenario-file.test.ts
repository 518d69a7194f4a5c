import { readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { singleOperations } from '../../src/rehearsal/scenario.ts';
import { rehearsalJsonSchemaText } from '../../src/rehearsal/scenario-file/json-schema.ts';
import { parseRehearsalFile } from '../../src/rehearsal/scenario-file/scenario-file.ts';

const path = 'examples/rehearsals/upgrade.yaml';
const text = readFileSync(path, 'utf8');

function refusalOf(changed: string): TdctlError {
  try {
    parseRehearsalFile(changed, { path });
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a Rehearsal file', () => {
  test('becomes operations in order, with the TDs as paths beside the file', () => {
    const file = parseRehearsalFile(text, { path });
    const operations = file.operationsUnder('rfc-migration-v2');
    expect(operations.map((operation) => operation.do)).toEqual([
      'provision',
      'together',
      'migrate',
      'pause',
      'resume',
      'stop',
      'stop',
    ]);
    expect(file.tds.every(({ specPath }) => specPath.endsWith('/examples/hello.yaml'))).toBe(true);
    expect(file).toMatchObject({ kernel: 'rfc-migration-v2', slotsLeft: 3, checks: 'all' });
  });

  test.each([
    [
      'two verbs in one operation',
      '- pause: batch',
      '- pause: batch\n      stop: batch',
      /not several/,
    ],
    ['a TD that does not exist', 'td: web', 'td: wob', /did you mean web/],
    ['two TDs of one name', 'name: batch', 'name: web', /name of another TD/],
    ['an unknown verdict', 'expect: completed', 'expect: fine', /expect/],
    ['a vCPU count of 0', 'td: web', 'td: web\n        vcpus: 0', /vcpus/],
    [
      'a move before the TD is there',
      '- provision: web',
      '- migrate: web',
      /before the TD is prov/,
    ],
    ['a move after the end', '- stop: batch', '- stop: web', /after the TD was stopped/],
    ['a TD that is built twice', '- pause: batch', '- provision: batch', /is built already/],
    ['one TD twice at once', '- updateModule: true', '- pause: batch', /together with another/],
    ['no operation at all', '- pause: batch', '- {}', /does nothing/],
    [
      'a kernel that does not exist',
      'kernel: rfc-migration-v2',
      'kernel: rfc-migration-v3',
      /rfc-migration-v2/,
    ],
    [
      'one kernel beside several',
      'kernel: rfc-migration-v2',
      'kernel: series-v9\n  kernels: [series-v9]',
      /in one of the two/,
    ],
    [
      'a kernel twice',
      'kernel: rfc-migration-v2',
      'kernels: [series-v9, series-v9]',
      /is named twice/,
    ],
    [
      'an expectation under a kernel that is not played',
      'expect: completed',
      'expectUnder: { series-v9: lost }',
      /is not played, so nothing comes of it; the file plays rfc-migration-v2/,
    ],
    [
      'an expectation under a misspelt kernel',
      'expect: completed',
      'expectUnder: { rfc-migration-v3: lost }',
      /did you mean rfc-migration-v2/,
    ],
    [
      'a number under a kernel that is not played',
      'slotsLeft: 3',
      'slotsLeft: 3\n  expectUnder: { series-v9: { tdsLost: 1 } }',
      /is not played/,
    ],
    ['a count of 0', 'name: batch', 'name: batch\n      count: 0', /count/],
    [
      'a name that a count gives to another TD',
      'name: web',
      'name: batch-2\n      spec: ../hello.yaml\n      count: 1\n    - name: batch\n      count: 2',
      /makes a second TD named batch-2|names no TD/,
    ],
    [
      'a TD beyond the count',
      '- provision: web',
      '- provision: web-3',
      /names no TD of this file; did you mean web/,
    ],
  ])('%s is refused with file, line and column', (_, from, to, words) => {
    const error = refusalOf(text.replace(from, to));
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.details.join('\n')).toMatch(words);
    expect(error.details[0]).toMatch(/^examples\/rehearsals\/upgrade\.yaml:\d+:\d+: /);
  });

  test('one of many that is stopped already is named where the name of all would not tell', () => {
    const counted = text
      .replace('name: batch', 'name: batch\n      count: 3')
      .replace('- pause: batch', '- stop: batch-2\n    - pause: batch')
      .replace('    - resume: batch\n    - stop: batch\n', '');
    const { details } = refusalOf(counted);
    expect(details).toHaveLength(1);
    expect(details[0]).toContain('comes after the TD was stopped (batch-2)');
  });

  propertyTest.prop([fc.integer({ min: 1, max: 50 }), fc.boolean()])(
    'an operation on a counted name is one on each of its TDs, in the place of the name',
    (count, isTogether) => {
      const operation = isTogether ? 'together: [{ provision: web }]' : 'provision: web';
      const file = parseRehearsalFile(
        `apiVersion: tdctl.io/v1alpha1
kind: Rehearsal
metadata: { name: counted }
spec:
  tds: [{ name: web, spec: td.yaml, count: ${count} }]
  operations: [${isTogether ? `{ ${operation} }` : operation}, stop: web]
`,
        { path },
      );
      const [{ names } = { names: [] }] = file.tds;
      expect(new Set(names).size).toBe(count);
      const tds = singleOperations(file.operationsUnder('series-v9')).map((each) =>
        each.do === 'update-module' ? undefined : each.td,
      );
      expect(tds).toEqual([...names, ...names]);
    },
  );

  test('what is expected under a kernel goes before what is expected under all', () => {
    const file = parseRehearsalFile(
      text
        .replace('kernel: rfc-migration-v2', 'kernels: [rfc-migration-v2, series-v9]')
        .replace('expect: completed', 'expect: completed\n        expectUnder: { series-v9: lost }')
        .concat('  expectUnder: { series-v9: { keySlotsLost: 1 } }\n'),
      { path },
    );
    const expected = (kernel: string) => ({
      numbers: file.expectUnder(kernel),
      moves: file
        .operationsUnder(kernel)
        .flatMap((operation) => (operation.do === 'migrate' ? [operation.expect] : [])),
    });
    expect(expected('rfc-migration-v2')).toEqual({
      numbers: { keySlotsLost: 0, tdsLost: 0 },
      moves: ['completed'],
    });
    expect(expected('series-v9')).toEqual({
      numbers: { keySlotsLost: 1, tdsLost: 0 },
      moves: ['lost'],
    });
  });

  propertyTest.prop([fc.string()])('any text is read or refused, and nothing else', (junk) => {
    try {
      parseRehearsalFile(junk, { path });
    } catch (error) {
      expect(error).toBeInstanceOf(TdctlError);
    }
  });

  test('schema/rehearsal.json is the schema of the code', () => {
    expect(readFileSync('schema/rehearsal.json', 'utf8')).toBe(rehearsalJsonSchemaText());
  });
});
