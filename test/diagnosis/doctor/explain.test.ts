import { describe, expect, test } from 'vitest';
import { checks } from '../../../src/diagnosis/doctor/checks/index.ts';
import { explainCheck, troubleshootingSections } from '../../../src/diagnosis/doctor/explain.ts';

const ids = checks.map(({ id }) => id);

describe('checks', () => {
  test('have ids that are unique and stay in their form', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  test('need only checks that come before them', () => {
    for (const [index, { id, needs }] of checks.entries()) {
      for (const need of needs) expect(ids.slice(0, index), `${id} needs ${need}`).toContain(need);
    }
  });

  test('are together with their group', () => {
    const groups = checks.map(({ group }) => group);
    const runs = groups.filter((group, index) => group !== groups[index - 1]);
    expect(runs).toEqual([...new Set(groups)]);
  });
});

describe('docs/troubleshooting.md', () => {
  test('has a section for each check, in their order, and no other', () => {
    expect([...troubleshootingSections().keys()]).toEqual(ids);
  });

  test.each(ids)('%s is explained in more than a line', (id) => {
    expect(explainCheck(id).length).toBeGreaterThan(90);
  });

  test('an id that is none is refused with those near it', () => {
    expect(() => explainCheck('bios.key')).toThrow(
      expect.objectContaining({
        code: 'TDCTL_E_USAGE',
        hint: expect.stringContaining('bios.key-split'),
      }),
    );
  });
});
