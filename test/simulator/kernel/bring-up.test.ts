import { describe, expect, test } from 'vitest';
import { moduleReleases } from '../../../src/abi/tdx/module-releases.ts';
import {
  createSimulatedHost,
  type HostProfile,
  hostProfiles,
  presentCpus,
} from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';

const spr15 = hostProfiles['spr-1.5'];
const bringUpOf = (change: Partial<HostProfile>) =>
  createSimulatedHost({ profile: { ...spr15, ...change } });

describe('bring-up', () => {
  test.each(Object.entries(hostProfiles))(
    '%s is brought up as its name says, and says where its figures are from',
    (name, profile) => {
      const machine = createSimulatedHost({ profile });
      expect(machine.bringUp.outcome).toBe(name === 'mismatch' ? 'no-kvm' : 'tdx');
      expect(profile.name).toBe(name);
      expect(profile.source).not.toBe('');
    },
  );

  test('profiles are what their names say', () => {
    const slots = (name: keyof typeof hostProfiles) =>
      createSimulatedHost({ profile: name }).keySlots.total;
    expect(slots('spr-1.5')).toBe(63);
    expect(slots('one-slot')).toBe(1);
    expect(presentCpus(spr15.platform)).toBe(224);
    expect(presentCpus(hostProfiles['gnr-2.0'].platform)).toBeGreaterThan(576);
  });

  test("a module limit below the present CPUs keeps kvm_intel from loading, in the kernel's words", () => {
    const machine = bringUpOf({ module: { release: '1.5.28', maxVcpusPerTd: 223 } });
    expect(machine.bringUp).toEqual({
      outcome: 'no-kvm',
      reason: 'Disable TDX: MAX_VCPU_PER_TD (223) smaller than number of logical CPUs (224)',
    });
    expect(machine.open()).toMatchObject({ ok: false, errno: 'ENODEV' });
  });

  test('a module limit equal to the present CPUs is enough', () => {
    const machine = bringUpOf({ module: { release: '1.5.28', maxVcpusPerTd: 224 } });
    expect(machine.bringUp.outcome).toBe('tdx');
  });

  test.each(['1.0', '1.5.01'] as const)(
    'module %s has no limit to read: KVM without TDs',
    (release) => {
      expect(moduleReleases[release].maxVcpusPerTd).toBeUndefined();
      const driver = new Driver({ profile: { ...spr15, module: { release } } });
      expect(driver.machine.bringUp.outcome).toBe('no-tdx');
      expect(driver.check(driver.kvm, 'KVM_CAP_VM_TYPES')).toBe(1);
      expect(driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 })).toBe('EINVAL');
      const vm = driver.createVm('KVM_X86_DEFAULT_VM');
      expect(driver.capabilities(vm)).toBe('ENOTTY');
      expect(driver.initVcpu(driver.createVcpu(vm, 0) as number)).toBe('ENOTTY');
    },
  );

  test('without a module, and with a single private key ID, there are no TDs', () => {
    expect(bringUpOf({ module: undefined }).bringUp.outcome).toBe('no-tdx');
    const keyIds = { mktme: 63, tdxPrivate: 1 };
    const machine = bringUpOf({ platform: { ...spr15.platform, keyIds } });
    expect(machine.bringUp.outcome).toBe('no-tdx');
    expect(machine.keySlots.total).toBe(0);
  });

  test('CPUs without SSE state leave nothing to support: kvm_intel does not load', () => {
    const cpuid = spr15.platform.cpuid.map((row) => (row.leaf === 0xd ? { ...row, eax: 1 } : row));
    const { bringUp } = bringUpOf({ platform: { ...spr15.platform, cpuid } });
    expect(bringUp.outcome).toBe('no-kvm');
  });
});
