/** A rehearsal of many TDs tells of all of them in a few lines. */
import { describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const rehearse = (...options: string[]) =>
  cli([
    'rehearse',
    `${projectRoot}/examples/hello.yaml`,
    '--kernel',
    'rfc-migration-v2',
    ...options,
  ]);

describe('many TDs', () => {
  test('are told of as a whole where they fare alike', async () => {
    const { stdout } = await rehearse('--count', '12');
    expect(stdout).toContain('✓ provision hello-1 to hello-12 (12): done');
    expect(stdout).toMatch(
      /blackouts of all 12 moves +\S+ ms to \S+ ms \(the longest: hello-\d+, move 1\)/,
    );
  });

  test('are refused at once where the host has too few key slots for all of them', async () => {
    const { exitCode, stdout, stderr } = await rehearse('--count', '64');
    expect(exitCode).toBe(7);
    expect(stderr).toContain(
      '64 TDs at the same time need as many key slots, and sim:spr-1.5 has 63',
    );
    expect(stdout).toBe('');
  });

  test('meet the refusal of the kernel where nothing is checked', async () => {
    const { exitCode, stderr } = await rehearse('--count', '64', '--hops', '0', '--unchecked');
    expect(exitCode).toBe(7);
    expect(stderr).toContain('provision hello-64: KVM_TDX_INIT_VM answered ENOSPC');
  });

  test('are told of one by one where they are few', async () => {
    const { stdout } = await rehearse('--count', '2');
    expect(stdout).toContain('✓ provision hello-2: done');
    expect(stdout).toContain('blackout of hello-2, move 1');
  });
});
