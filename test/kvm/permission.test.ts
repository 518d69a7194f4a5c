import { existsSync, statSync } from 'node:fs';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { tdctl } from '../support/tdctl.ts';

const nobody = 65534;

function skipUnlessRefused(context: TestContext): void {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
  if (process.getuid?.() !== 0) context.skip('only root can try it as another user');
  if (statSync('/dev/kvm').mode & 0o006) context.skip('/dev/kvm is open to everybody here');
}

describe('a user who may not open /dev/kvm', () => {
  for (const host of ['kvm', 'soft']) {
    test(`is told which group to join, with --host ${host} and exit code 8`, async (context) => {
      skipUnlessRefused(context);
      const { exitCode, stderr, stdout } = await tdctl(['host', '--host', host], { uid: nobody });
      expect(exitCode).toBe(8);
      expect(stdout).toBe('');
      expect(stderr).toContain('this user may not open /dev/kvm');
      expect(stderr).toMatch(/hint: add the user to the group/);
    });
  }

  test('can use the simulated host all the same', async (context) => {
    skipUnlessRefused(context);
    const { exitCode } = await tdctl(['host', '--host', 'sim'], { uid: nobody });
    expect(exitCode).toBe(0);
  });
});
