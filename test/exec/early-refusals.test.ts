/** `tdctl --host kvm` against the simulated kernel: what is refused before the first step is no defect. */
import { expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { exitCodes } from '../../src/errors/index.ts';
import { builtMain } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

/** `host` makes all that comes before the first step of a run. */
const requests = [
  'KVM_GET_API_VERSION',
  'KVM_CHECK_EXTENSION',
  'KVM_CREATE_VM',
  'KVM_TDX_CAPABILITIES',
  'KVM_GET_SUPPORTED_CPUID',
] as const;

test.each(requests)('%s: each that `host` makes, refused in turn', async (request) => {
  const native = loadAddon();
  expect(native.available || 'the native addon is not built').toBe(true);
  let refused = 0;
  for (let nth = 1; ; nth++) {
    const fault = `${request}#${nth}=ENOMEM`;
    const inner = [process.execPath, builtMain(), 'host', '--host', 'kvm'];
    const { exitCode, stderr } = await tdctl(['exec', '--fault', fault, '--', ...inner]);
    // The command went through: nothing is left to refuse.
    if (exitCode === exitCodes.findings) break;
    refused++;
    expect(stderr).toContain(`error: ${request}`);
    expect(stderr).toMatch(/answered ENOMEM: .*\[TDCTL_E_IOCTL\]/);
    expect(stderr).not.toContain('TDCTL_E_INTERNAL');
    expect(exitCode).toBe(1);
  }
  expect(refused).toBeGreaterThan(0);
});
