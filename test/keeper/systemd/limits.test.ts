import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { countsMemory, limitSlots } from '../../../src/keeper/systemd/limits.ts';

/** The files of a cgroup hierarchy of version 2, with this process in `/unit`. */
function cgroups(context: TestContext, own = '/unit') {
  const root = mkdtempSync(join(tmpdir(), 'td-cgroup-'));
  context.onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'unit'));
  const self = join(root, 'self');
  writeFileSync(self, `1:cpu:/\n0::${own}\n`);
  return { root, self };
}

describe('the limit of a unit', () => {
  test('is so many key slots, where the misc controller is on for it', (context) => {
    const place = cgroups(context);
    const file = join(place.root, 'unit/misc.max');
    writeFileSync(file, '');
    expect(limitSlots(1, place)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('tdx 1\n');
    expect(limitSlots(2, place)).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe('tdx 2\n');
  });

  test('is said not to be set where it cannot be, and why', (context) => {
    const place = cgroups(context);
    expect(limitSlots(1, place)).toMatch(/misc controller is not on/);
    expect(limitSlots(1, cgroups(context, '/'))).toMatch(/root cgroup/);
    writeFileSync(place.self, '1:cpu:/\n');
    expect(limitSlots(1, place)).toMatch(/no cgroup v2/);
    expect(limitSlots(1, { ...place, self: join(place.root, 'none') })).toMatch(/no cgroup v2/);
  });

  test('of memory is asked for only where the host counts it', (context) => {
    const place = cgroups(context);
    expect(countsMemory(place)).toBe(false);
    writeFileSync(join(place.root, 'cgroup.controllers'), 'cpu io pids\n');
    expect(countsMemory(place)).toBe(false);
    writeFileSync(join(place.root, 'cgroup.controllers'), 'cpu memory pids\n');
    expect(countsMemory(place)).toBe(true);
  });
});
