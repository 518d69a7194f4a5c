/** A saved plan is a document like every other. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { errorKinds, TdctlError } from '../../src/errors/index.ts';
import { parseFleet } from '../../src/plan/fleet/fleet-file.ts';
import { checkUnchanged, parseSavedPlan, savePlan } from '../../src/plan/plan-file.ts';
import { helloPlan } from '../support/hello-plan.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-plan-file-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const plan = await helloPlan('upstream-7.3');
const file = join(scratch, 'td.plan');
await savePlan(file, { plan, kernel: 'upstream-7.3', force: false });
const text = readFileSync(file, 'utf8');

/** What a reader throws must be an error for people. */
function refusalOf(read: () => unknown): TdctlError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    expect(errorKinds).toHaveProperty(error.code);
    expect(error.code).not.toBe('TDCTL_E_INTERNAL');
    return error;
  }
}

const judge = (damaged: string) =>
  refusalOf(() => checkUnchanged(parseSavedPlan(damaged, 'td.plan'), { plan, file: 'td.plan' }));

const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('[]', '{}', '1e999', '-0', '9'.repeat(400), '{"__proto__":{"x":1}}').map(String),
);

describe('a saved plan', () => {
  test('that is whole is taken', () => {
    expect(judge(text)).toBeUndefined();
  });

  test('with a field that is wrong says where', () => {
    const damaged = text.replace('"mrtd": "', '"mrtd": "x');
    expect(judge(damaged)).toMatchObject({
      code: 'TDCTL_E_SPEC_INVALID',
      details: [expect.stringMatching(/^td\.plan:\d+:\d+: made\.measurement\.mrtd: must be 96/)],
      hint: expect.stringContaining('tdctl plan SPEC --save FILE'),
    });
  });

  test('whose lists have no end is refused, and overflows nothing', () => {
    const deep = `{"kind": "tdctl.io/plan", "version": 1, "made": ${'['.repeat(100_000)}`;
    expect(judge(deep)?.code).toBe('TDCTL_E_SPEC_INVALID');
  });

  const fields = [...text.matchAll(/^ *"(\w+)": /gm)].map(
    ({ index, 0: key }) => index + key.length,
  );

  test.prop([fc.constantFrom(...fields), oddValue])('with any value in any field', (at, value) => {
    const end = text.indexOf('\n', at);
    judge(`${text.slice(0, at)}${JSON.stringify(value)},${text.slice(end)}`);
  });

  test.prop([fc.nat({ max: text.length }), fc.nat({ max: text.length }), fc.string()])(
    'that was cut and glued anywhere',
    (from, to, between) => {
      judge(text.slice(0, from) + between + text.slice(to));
    },
  );
});

test('a list that is too long is told by its length, whatever is in it', () => {
  const vms = Array.from({ length: 1001 }, (_, at) => `    - { name: vm${at}, vcpus: 1 }`);
  const fleet = `apiVersion: tdctl.io/v1alpha1\nkind: Fleet\nmetadata: { name: f }\nspec:\n  vms:\n${vms.join('\n')}\n`;
  expect(refusalOf(() => parseFleet(fleet, { path: 'f.yaml' }))).toMatchObject({
    code: 'TDCTL_E_SPEC_INVALID',
    details: [expect.stringContaining('entries; this has 1001')],
  });
});
