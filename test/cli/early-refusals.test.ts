/** A request may be refused before the first step too; then it is told as in a step, and is no defect. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const hello = join(projectRoot, 'examples/hello.yaml');
const requests = [
  'KVM_GET_API_VERSION',
  'KVM_CHECK_EXTENSION',
  'KVM_CREATE_VM',
  'KVM_TDX_CAPABILITIES',
  'KVM_GET_SUPPORTED_CPUID',
] as const;

test.each(requests)('%s: each that `run` makes on `sim`, refused in turn', async (request) => {
  let refused = 0;
  for (let nth = 1; ; nth++) {
    const fault = `${request}#${nth}=ENOMEM`;
    const run = ['run', hello, '--host', 'sim', '--until', 'runnable', '--fault', fault];
    const { exitCode, stderr } = await cli(run);
    // The run never came to it.
    if (exitCode === 6) break;
    refused++;
    expect(stderr).toContain(`${request}`);
    expect(stderr).toMatch(/^error: .* answered ENOMEM: /m);
    expect(stderr).toMatch(/^hint: /m);
    expect(stderr).not.toContain('TDCTL_E_INTERNAL');
    expect(exitCode).toBe(1);
  }
  expect(refused).toBeGreaterThan(0);
});
