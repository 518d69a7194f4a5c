import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { loadFirmware, parseTdvf } from '../../src/firmware/index.ts';
import type { HostFacts } from '../../src/host/facts.ts';
import { type MemorySlot, planTd } from '../../src/plan/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { withSection } from '../firmware/tdvf-image.ts';
import { bzImage } from '../guest/boot/kernels.ts';
import { hostFacts as facts } from '../support/host-facts.ts';

const examples = join(dirname(fileURLToPath(import.meta.url)), '../../examples');
const firmware = await loadFirmware({ path: join(examples, 'firmware/hello.fd') });

function spec(fields: Record<string, unknown> = {}) {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus: 1, memory: '128MiB', firmware: 'firmware/hello.fd', ...fields },
  });
  return parseTrustDomain(text, { path: join(examples, 'td.yaml') });
}

const plan = (fields: Record<string, unknown> = {}, host = facts) =>
  planTd({ spec: spec(fields), firmware, host: { name: host.name, facts: host } });

function refusal(work: () => unknown): TdctlError {
  try {
    work();
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const end = ({ gpa, sizeBytes }: MemorySlot) => gpa + sizeBytes;

describe('the memory of a TD', () => {
  const memoryMiB = fc.integer({ min: 64, max: 1 << 20 });

  propertyTest.prop({ memoryMiB })(
    'is exactly what was asked for, in slots that do not overlap',
    ({ memoryMiB: size }) => {
      const { slots } = plan({ memory: `${size}MiB` }).layout;
      const ram = slots.filter((slot) => slot.holds === 'ram');
      expect(ram.reduce((sum, slot) => sum + slot.sizeBytes, 0n)).toBe(BigInt(size) << 20n);
      const ascending = [...slots].sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
      ascending.slice(1).forEach((slot, index) => {
        expect(slot.gpa).toBeGreaterThanOrEqual(end(ascending[index] as MemorySlot));
      });
    },
  );

  propertyTest.prop({ memoryMiB })(
    'leaves the firmware its place below 4 GiB, and every initial page lies in its slot',
    ({ memoryMiB: size }) => {
      const { slots, initialPages } = plan({ memory: `${size}MiB` }).layout;
      const firmwareSlot = slots.find((slot) => slot.holds === 'firmware') as MemorySlot;
      expect(end(firmwareSlot)).toBe(1n << 32n);
      for (const pages of initialPages) {
        const slot = slots[pages.slot] as MemorySlot;
        expect(pages.gpa).toBeGreaterThanOrEqual(slot.gpa);
        expect(pages.gpa + BigInt(pages.pages) * 4096n).toBeLessThanOrEqual(end(slot));
        expect(pages.bytes.length).toBeLessThanOrEqual(pages.pages * 4096);
      }
    },
  );

  test('that is too small for the firmware is refused with the size it needs', () => {
    const bytes = withSection(2, { gpa: 0x2000000n });
    const high = { ...firmware, ...parseTdvf(bytes, {}), bytes, sizeBytes: bytes.length };
    const planHigh = (memory: string) =>
      planTd({ spec: spec({ memory }), firmware: high, host: { name: facts.name, facts } });
    const error = refusal(() => planHigh('32MiB'));
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.details.join('\n')).toContain('spec.memory');
    const needed = /at least (\d+KiB)/.exec(error.hint ?? '')?.[1] ?? 'no size named';
    expect(() => planHigh(needed)).not.toThrow();
  });

  test.each([
    ['PERM_MEM', { type: 4, attributes: 2 }],
    ['PAYLOAD', { type: 5 }],
    ['TD_INFO', { type: 7, gpa: 0n, memorySizeBytes: 0n, dataOffset: 0x1000, rawSizeBytes: 64 }],
  ])('%s, which QEMU does not launch, is told as such, and measure is named', (type, change) => {
    const bytes = withSection(2, change);
    const shim = { ...firmware, ...parseTdvf(bytes), bytes, sizeBytes: bytes.length };
    const error = refusal(() =>
      planTd({ spec: spec(), firmware: shim, host: { name: facts.name, facts } }),
    );
    expect(error.code).toBe('TDCTL_E_FIRMWARE_INVALID');
    expect(error.message).toMatch(new RegExp(`QEMU, and so tdctl, does not launch: ${type}$`));
    expect(error.hint).toContain('tdctl measure');
  });

  test('that does not fit below the shared bit is refused for 48 bits and accepted for 52', () => {
    // 128 TiB less 1 GiB fits by itself; the hole below 4 GiB pushes its end over 2^47.
    const memory = `${128 * 1024 - 1}GiB`;
    expect(refusal(() => plan({ memory })).details.join('\n')).toContain('2^47');
    expect(() => plan({ memory, gpaw: 52 })).not.toThrow();
  });
});

describe('vCPUs', () => {
  test('are refused above the limit that binds, with its name, the line and exit code 7', () => {
    const error = refusal(() => plan({ vcpus: 225 }));
    expect(error).toMatchObject({ code: 'TDCTL_E_VCPU_LIMIT', exitCode: 7 });
    expect(error.message).toBe(
      'sim:test gives a TD at most 224 vCPUs: the logical CPUs present in the host binds',
    );
    expect(error.details[0]).toContain('spec.vcpus: 225 vCPUs asked for, 224 possible');
  });

  test('kept as headroom count too, and maxVcpus is the field that is named', () => {
    expect(refusal(() => plan({ vcpus: 2, maxVcpus: 225 })).details[0]).toContain('spec.maxVcpus');
  });

  propertyTest.prop({
    module: fc.option(fc.integer({ min: 1, max: 2000 }), { nil: undefined }),
    present: fc.integer({ min: 1, max: 2000 }),
    kvm: fc.integer({ min: 1, max: 4096 }),
  })(
    'are accepted at the limit and refused at limit + 1, whichever binds',
    ({ module, present, kvm }) => {
      const host: HostFacts = {
        ...facts,
        module: module === undefined ? undefined : { release: 'x', maxVcpusPerTd: module },
        platform: { ...facts.platform, presentCpus: present },
        kvm: { ...facts.kvm, maxVcpus: kvm },
      };
      const limit = Math.min(module ?? 65535, present, kvm);
      expect(plan({ vcpus: limit }, host).vcpuIds).toHaveLength(limit);
      expect(refusal(() => plan({ vcpus: limit + 1 }, host)).exitCode).toBe(7);
    },
  );
});

describe('an expected measurement', () => {
  test('that is the one the image gives is accepted', () => {
    const { predictedMrtd } = plan();
    expect(() => plan({ measurement: { expect: predictedMrtd } })).not.toThrow();
  });

  test('of another image is refused with both values, before anything is started', () => {
    const expected = 'ab'.repeat(48);
    const error = refusal(() => plan({ measurement: { expect: expected } }));
    expect(error).toMatchObject({ code: 'TDCTL_E_MEASUREMENT_MISMATCH', exitCode: 6 });
    expect(error.details.join('\n')).toContain(expected);
    expect(error.details.join('\n')).toContain(plan().predictedMrtd);
  });
});

describe('a kernel of its own', () => {
  const boot = { kernel: 'vmlinuz' };

  test.each([
    ['kvm', 'a TD starts with its firmware'],
    ['sim', 'no guest code runs on a simulated host'],
  ] as const)('is refused on %s with the line of the field, and soft is named', (kind, cause) => {
    const error = refusal(() => plan({ boot }, { ...facts, kind }));
    expect(error).toMatchObject({ code: 'TDCTL_E_SPEC_INVALID', exitCode: 5 });
    expect(error.details.join('\n')).toMatch(/td\.yaml:1:\d+: spec\.boot: /);
    expect(error.details.join('\n')).toContain(cause);
    expect(error.hint).toContain('--host soft');
  });

  const soft = { ...facts, kind: 'soft' as const };
  const planOnSoft = (kernel: Uint8Array, memory: string) => {
    const images = { kernel: { value: kernel, place: 'vmlinuz' }, sha256: 'ab'.repeat(32) };
    return planTd({
      spec: spec({ boot, memory, vcpus: 2 }),
      firmware,
      boot: images,
      host: { name: 'soft', facts: soft },
    });
  };

  test('is started on soft, where the TD is measured as it is without', () => {
    const planned = planOnSoft(bzImage(), '3GiB');
    expect(planned.predictedMrtd).toBe(plan({ memory: '3GiB' }, soft).predictedMrtd);
    expect(planned.boot?.protocol).toBe('linux64');
    for (const { gpa, bytes } of planned.boot?.writes ?? []) {
      const inRam = planned.layout.slots.some(
        (slot) =>
          slot.holds === 'ram' && gpa >= slot.gpa && gpa + BigInt(bytes.length) <= end(slot),
      );
      expect(inRam).toBe(true);
    }
  });

  test('that does not fit into the memory names the field to change', () => {
    const error = refusal(() => planOnSoft(bzImage({ initSize: 200 << 20 }), '128MiB'));
    expect(error).toMatchObject({ code: 'TDCTL_E_BOOT_INVALID', place: 'vmlinuz' });
    expect(error.hint).toMatch(/at least 216MiB of memory \(.*td\.yaml:1:\d+\)/);
    expect(planOnSoft(bzImage({ initSize: 200 << 20 }), '216MiB').boot).toBeDefined();
  });
});
