import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executeCpuid } from '../../src/abi/cpuid/raw.ts';
import { readCpuIdentity, withCpuIdentity } from '../../src/exec/index.ts';
import { hostProfiles } from '../../src/simulator/index.ts';

function cpuinfo(cpu: { family: number; model: number; stepping: number; bits: number }): string {
  return [
    'processor\t: 0',
    'vendor_id\t: Some',
    `cpu family\t: ${cpu.family}`,
    `model\t\t: ${cpu.model}`,
    'model name\t: Some CPU model : 9',
    `stepping\t: ${cpu.stepping}`,
    `address sizes\t: ${cpu.bits} bits physical, 57 bits virtual`,
    '',
  ].join('\n');
}

describe('the identity of a CPU', () => {
  test.each([
    // CPUID(1).EAX as these CPUs answer it.
    ['Sapphire Rapids', { family: 6, model: 143, stepping: 8, bits: 52 }, 0x806f8],
    ['a CPU with an extended family', { family: 25, model: 17, stepping: 1, bits: 48 }, 0xa10f11],
  ])('%s: family, model and stepping as CPUID packs them', (_name, cpu, signature) => {
    const identity = { signature, physicalAddressBits: cpu.bits };
    expect(readCpuIdentity(cpuinfo(cpu))).toEqual(identity);
  });

  test('is not made up where the text does not tell all of it', () => {
    const whole = cpuinfo({ family: 6, model: 143, stepping: 8, bits: 46 }).split('\n');
    for (const needed of ['cpu family', 'model\t', 'stepping', 'address sizes']) {
      const text = whole.filter((line) => !line.startsWith(needed)).join('\n');
      expect(readCpuIdentity(text), needed).toBeUndefined();
    }
  });

  test('changes two fields of a host and nothing else', () => {
    const identities = fc.record({
      signature: fc.nat(0xffff_ffff),
      physicalAddressBits: fc.integer({ min: 36, max: 52 }),
    });
    const profile = hostProfiles['spr-1.5'];
    fc.assert(
      fc.property(identities, (identity) => {
        const changed = withCpuIdentity(profile, identity);
        expect(executeCpuid(changed.platform.cpuid, 1).eax).toBe(identity.signature);
        const restored = withCpuIdentity(changed, { signature: 0x806f8, physicalAddressBits: 52 });
        expect(restored).toEqual(profile);
      }),
    );
  });
});
