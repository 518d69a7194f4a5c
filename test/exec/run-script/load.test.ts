/** RunScript files: what they become, and every mistake at its place. */
import { readdirSync, readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../../src/errors/index.ts';
import { runScriptJsonSchemaText } from '../../../src/exec/run-script/json-schema.ts';
import { loadRunScript, parseRunScript } from '../../../src/exec/run-script/load.ts';

const path = 'examples/exec/first-breath.yaml';
const text = readFileSync(path, 'utf8');

function refusalOf(changed: string): TdctlError {
  try {
    parseRunScript(changed, { path });
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

function script(steps: string, ids = '[0]'): string {
  return [
    'apiVersion: tdctl.io/v1alpha1',
    'kind: RunScript',
    'metadata: {name: x}',
    'spec:',
    '  vcpus:',
    `    - ids: ${ids}`,
    '      steps:',
    ...steps.split('\n').map((line) => `        ${line}`),
  ].join('\n');
}

describe('a RunScript file', () => {
  test.each(readdirSync('examples/exec'))('examples/exec/%s is right', async (name) => {
    const { programs } = await loadRunScript(`examples/exec/${name}`);
    expect(programs.length).toBeGreaterThan(0);
  });

  test('becomes steps in order, each with its place', () => {
    const { name, programs } = parseRunScript(text, { path });
    expect(name).toBe('first-breath');
    const [boot, others] = programs;
    expect(boot?.steps.map(({ action }) => action.do)).toEqual([
      'mapGpa',
      'getTdVmCallInfo',
      'setupEventNotifyInterrupt',
      'out',
      'repeat',
      'getQuote',
      'mmioWrite',
      'mmioRead',
      'mapGpa',
      'reportFatalError',
    ]);
    expect(boot?.steps[0]).toEqual({
      place: `${path}:16:19`,
      action: { do: 'mapGpa', gpa: 0x1000000n, size: 4n << 20n, to: 'shared', expect: 'success' },
    });
    expect(others?.vcpus).toBe('others');
  });

  test('numbers may have 64 bits, and what is left out is what a guest would do', () => {
    const { programs } = parseRunScript(
      script(
        '- mmioWrite: {address: 0xfee00000, sizeBytes: 8, data: 0xffffffffffffffff}\n' +
          '- getTdVmCallInfo: {}\n- reportFatalError: {}\n- memoryFault: {gpa: 0, size: 4KiB}',
      ),
      { path },
    );
    expect(programs[0]?.steps.map(({ action }) => action)).toMatchObject([
      { data: (1n << 64n) - 1n },
      { leaf: 1n },
      { code: 0n, message: '' },
      { access: 'private', errno: 'EFAULT' },
    ]);
  });

  test.each([
    ['two actions in one step', '- {shutdown: true, hold: true}', /not several/],
    ['a step without an action', '- {}', /does nothing/],
    ['an action that there is not', '- mapGPA: {}', /did you mean mapGpa/],
    ['an access of 3 bytes', '- in: {port: 1, sizeBytes: 3}', /sizeBytes/],
    ['a port beyond 16 bits', '- in: {port: 0x10000, sizeBytes: 1}', /at most 65535/],
    ['data that does not fit', '- out: {port: 1, sizeBytes: 1, data: 0x100}', /in 1 byte/],
    ['an expectation that cannot be', '- in: {port: 1, sizeBytes: 2, expect: 65536}', /in 2 bytes/],
    ['a negative address', '- mmioRead: {address: -1, sizeBytes: 1}', /must not be negative/],
    [
      'an address with the shared bit',
      '- mmioRead: {address: 0x8000000000000, sizeBytes: 1}',
      /51 bits/,
    ],
    ['a size without a unit we know', '- getQuote: {gpa: 0, size: 4kB}', /write 4KiB/],
    ['a size of 0', '- getQuote: {gpa: 0, size: 0}', /more than 0/],
    ['a missing direction', '- mapGpa: {gpa: 0, size: 4KiB}', /to: is missing/],
    ['an unknown status', '- mapGpa: {gpa: 0, size: 4KiB, to: shared, expect: ok}', /expect/],
    [
      'a message of more than 64 bytes',
      `- reportFatalError: {message: ${'x'.repeat(65)}}`,
      /64 bytes/,
    ],
    ['a repeat in a repeat', '- repeat: {times: 2, steps: [{repeat: {}}]}', /repeat/],
    ['a repeat of nothing', '- repeat: {times: 2, steps: []}', /steps/],
  ])('%s is refused with file, line and column', (_, step, words) => {
    const error = refusalOf(script(step));
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.details.join('\n')).toMatch(words);
    expect(error.details[0]).toMatch(/^examples\/exec\/first-breath\.yaml:8:\d+: /);
  });

  test('every mistake is told at once', () => {
    const error = refusalOf(
      script('- in: {port: -1, sizeBytes: 1}\n- out: {port: 1, sizeBytes: 9, data: 0}\n- {}'),
    );
    expect(error.details).toHaveLength(3);
  });

  test.each([
    ['[0, 1, 0]', /names vCPU 0 a second time/],
    ['[]', /ids/],
    ['[16384]', /ids/],
    ['other', /ids/],
  ])('ids: %s is refused', (ids, words) => {
    expect(refusalOf(script('- hold: true', ids)).details.join('\n')).toMatch(words);
  });

  test('two programs for the others are refused', () => {
    const twice = `${script('- hold: true', 'others')}\n    - ids: others\n      steps: [{hold: true}]`;
    expect(refusalOf(twice).details.join('\n')).toMatch(
      /9:\d+: spec\.vcpus\.1\.ids: is there twice/,
    );
  });

  test('a file that is not there is code 3, with the name that was meant', async () => {
    const missing = loadRunScript('examples/exec/first-breth.yaml');
    await expect(missing).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_FOUND',
      hint: 'did you mean examples/exec/first-breath.yaml?',
    });
  });

  propertyTest.prop([fc.string()])('any text is read or refused, and nothing else', (junk) => {
    try {
      parseRunScript(junk, { path });
    } catch (error) {
      expect(error).toBeInstanceOf(TdctlError);
    }
  });

  propertyTest.prop([fc.nat({ max: text.length }), fc.string({ maxLength: 4 })])(
    'a damaged file is read or refused, and nothing else',
    (at, damage) => {
      try {
        parseRunScript(text.slice(0, at) + damage + text.slice(at + 1), { path });
      } catch (error) {
        expect(error).toBeInstanceOf(TdctlError);
      }
    },
  );

  test('schema/run-script.json is the schema of the code', () => {
    expect(readFileSync('schema/run-script.json', 'utf8')).toBe(runScriptJsonSchemaText());
  });
});
