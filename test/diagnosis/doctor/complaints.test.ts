/**
 * What operators met, from public bug reports: the symptom they saw, a copy of such a host, and the
 * check that must name the cause first. Checks that only warn are named where nothing fails.
 */
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/diagnosis/doctor/index.ts';
import { diagnoseFixture, fixtureNames } from './host-tree.ts';

type Row = readonly [symptom: string, fixture: string, expected: string];

const complaints: readonly Row[] = [
  ['KVM_TDX_CAPABILITIES: Invalid argument', 'vendor-kernel-6.8', 'kernel.tdx-abi'],
  ['vm-type TDX not supported by KVM (a): -5', 'seamcall-fails', 'module.initialized'],
  ['vm-type TDX not supported by KVM (b): wrong kernel', 'wrong-kernel', 'kernel.config-tdx'],
  ['vm-type TDX not supported by KVM (c)', 'kvm-intel-without-tdx', 'kernel.kvm-intel-tdx'],
  ['the same on Linux 6.16', 'kvm-intel-without-tdx-6.16', 'kernel.kvm-intel-tdx'],
  ['module initialized, and no /dev/kvm', 'kvm-intel-not-loaded-7.3', 'kernel.kvm-intel-tdx'],
  ['tdx=1 given, and nothing happens', 'parameter-misspelt', 'kernel.kvm-intel-tdx'],
  ['nothing printed after "BIOS enabled"', 'kvm-intel-not-loaded', 'kernel.kvm-intel-tdx'],
  ['INIT_VM: No space left on device', 'no-free-slot', 'keys.free'],
  ['INIT_VM: Device or resource busy', 'cgroup-limit', 'keys.cgroup-limit'],
  ['module init failed (-28)', 'reserved-areas-exhausted', 'memory.reserved-areas'],
  ['SEAMCALL 0x22 -> 0xc000050500000000', 'module-too-old', 'module.version'],
  ['the same, without the CPU flag', 'module-too-old-6.5', 'module.version'],
  ['the same, with a version in the log', 'module-1.0', 'module.version'],
  ['SEAMCALL 0x21 -> 0xc000090000000000', 'bios-too-old', 'bios.release'],
  ['SEAMCALL failed: leaf 33, error 0xc0000921...', 'bios-too-old-6.5', 'bios.release'],
  ['module not loaded', 'module-not-loaded', 'bios.seam'],
  ['SEAMRR lock bit 0', 'seamrr-not-locked', 'bios.seam'],
  ['not enabled by BIOS', 'not-enabled-by-bios', 'bios.seam'],
  ['[firmware bug]: TDX is not enabled by BIOS', 'firmware-bug', 'bios.seam'],
  ['no line about TDX at all', 'tdx-off-in-bios', 'bios.key-split'],
  ['46 address bits, no line about TDX', 'limited-address-width', 'bios.key-split'],
  ['too few private KeyIDs available', 'one-key-id', 'bios.key-split'],
  ['SGX_AND_MCHECK_STATUS: 1861', 'mcheck-fault', 'bios.mcheck'],
  ['TDX is wanted on Ice Lake', 'cpu-without-tdx', 'cpu.model'],
  ['TDX is wanted on a SKU without it', 'sku-without-tdx', 'cpu.model'],
  ['x86/tme: not enabled by BIOS', 'tme-off', 'bios.memory-encryption'],
  ['Hibernation support is enabled', 'hibernation', 'kernel.cmdline-nohibernate'],
  ['the same, log not readable', 'hibernation-without-log', 'kernel.cmdline-nohibernate'],
  ['MAX_VCPU_PER_TD smaller than CPUs', 'more-cpus-than-vcpus', 'limits.module-vs-cpus'],
  ['every quote is empty, 0xe011', 'not-registered', 'qgs.registration'],
  ['quotes time out', 'no-quote-service', 'qgs.socket'],
  ['reclaim warnings, fewer TDs than slots', 'leaked-slot', 'keys.leaked'],
  ['no crash dump with TDX on', 'kexec-erratum', 'kernel.kexec'],
  ['All packages need to have online CPU', 'offline-package', 'cpu.online'],
  ['EPT is required for TDX', 'ept-off', 'kernel.kvm-parameters'],
  ['Could not access KVM kernel module', 'no-permission', 'kvm.permission'],
  ['slots cannot be counted', 'cgroup-v1', 'keys.controller'],
  ['no TDVF metadata', 'no-firmware', 'firmware.tdvf'],
  ['TDX is wanted on an AMD CPU', 'amd', 'cpu.vendor'],
  ['TDX is wanted inside a VM', 'virtual-machine', 'env.virtual-machine'],
  ['TDX is wanted inside a TD', 'inside-a-td', 'env.virtual-machine'],
  ['/dev of a container is not that of the host', 'container', 'env.container'],
];

const healthy = ['healthy', 'nested-cgroups'];

function firstFinding({ firstCause, checks }: Diagnosis): string | undefined {
  return firstCause ?? checks.find(({ status }) => status === 'warn')?.id;
}

describe('each complaint gets its cause as first answer', () => {
  test.each(complaints)('%s (%s): %s', async (_, fixture, expected) => {
    const diagnosis = await diagnoseFixture(fixture);
    expect(firstFinding(diagnosis)).toBe(expected);
    const found = diagnosis.checks.find(({ id }) => id === expected);
    expect(found?.evidence, 'what was read').not.toBe('');
    expect(found?.fix, 'what to do').toBeTruthy();
  });

  test('the table has every fixture', () => {
    const named = [...complaints.map(([, fixture]) => fixture), ...healthy];
    expect([...new Set(named)].sort()).toEqual(fixtureNames);
  });
});

test.each(healthy)('%s: TDs can run, nothing fails and nothing warns', async (fixture) => {
  const { conclusion, counts, checks } = await diagnoseFixture(fixture);
  const notOk = checks.filter(({ status }) => status !== 'pass');
  expect(notOk).toEqual([]);
  expect(conclusion).toBe('ready');
  expect(counts).toEqual({ pass: checks.length, warn: 0, fail: 0, unknown: 0, skipped: 0 });
});
