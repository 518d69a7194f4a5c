import { readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
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
  ])('%s is refused with file, line and column', (_, from, to, words) => {
    const error = refusalOf(text.replace(from, to));
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.details.join('\n')).toMatch(words);
    expect(error.details[0]).toMatch(/^examples\/rehearsals\/upgrade\.yaml:\d+:\d+: /);
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
