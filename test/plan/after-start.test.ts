import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { afterStart } from '../../src/plan/after-start.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../../examples');

function warningsOf(memory: string) {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus: 1, memory, firmware: 'firmware/hello.fd' },
  });
  return afterStart(parseTrustDomain(text, { path: join(examples, 'td.yaml') }));
}
const idsOf = (memory: string) => warningsOf(memory).map(({ id }) => id);

describe('a warning names the field, its place and the remedy', () => {
  test('67000MiB, as canonical/tdx#421 has it', () => {
    const [warning] = warningsOf('67000MiB');
    expect(warning).toMatchObject({ id: 'memory-no-multiple-of-gib', field: 'spec.memory' });
    expect(warning?.place).toMatch(/td\.yaml:\d+:\d+$/);
    expect(warning?.hint).toContain('67584MiB');
  });

  test('1200GiB of memory takes eager firmware 28 minutes', () => {
    expect(idsOf('1200GiB')).toEqual(['eager-accept-takes-minutes']);
    expect(warningsOf('1200GiB')[0]?.message).toContain('28 minutes');
  });
});

test.each([
  ['4GiB', []],
  ['42GiB', []],
  ['43GiB', ['eager-accept-takes-minutes']],
  ['62GiB', ['eager-accept-takes-minutes']],
  ['63489MiB', ['memory-no-multiple-of-gib', 'eager-accept-takes-minutes']],
  ['64GiB', ['eager-accept-takes-minutes']],
  ['5001MiB', []],
])('%s: %j', (memory, ids) => {
  expect(idsOf(memory)).toEqual(ids);
});

propertyTest.prop([fc.integer({ min: 16, max: 2_000_000 })])(
  'the remedy of the odd size is free of it, and nearly what was asked for',
  (mib) => {
    const [odd] = warningsOf(`${mib}MiB`).filter(({ id }) => id === 'memory-no-multiple-of-gib');
    if (odd === undefined) return;
    const advised = /ask for (\d+)MiB/.exec(odd.hint)?.[1] ?? '';
    expect(Number(advised) - mib).toBeGreaterThan(0);
    expect(Number(advised) - mib).toBeLessThan(1024);
    expect(idsOf(`${advised}MiB`)).not.toContain('memory-no-multiple-of-gib');
  },
);
