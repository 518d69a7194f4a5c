import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IoctlName, ioctlNumbers } from '../../../src/abi/kvm/requests.ts';
import { type Field, Layout } from '../../../src/exec/codec/layout.ts';
import { fixedSizeInitVm, structs } from '../../../src/exec/codec/structs.ts';
import { requireAddon } from '../../native/support.ts';
import { evaluated, preprocessed } from './kvm-header.ts';

const layoutOfAddon = readFileSync('native/uapi/layout.cc', 'utf8');

const layouts: [string, Layout<Readonly<Record<string, Field>>>][] = [
  ...Object.entries(structs),
  ['kvm_tdx_init_vm of series v9', fixedSizeInitVm.header],
];

interface FieldPlace {
  readonly struct: string;
  readonly name: string;
  readonly offset: number;
}

function offsets(): FieldPlace[] {
  return Object.entries(structs).flatMap(([struct, layout]) =>
    Object.entries(layout.fields).map(([name, [offset]]) => ({ struct, name, offset })),
  );
}

/** Where the compiler that built the addon found a field; undefined: it was not asked. */
function compiledOffset({ struct, name }: FieldPlace): number | undefined {
  for (const [, type, field, offset] of layoutOfAddon.matchAll(/IS_AT\((\w+), (\w+), (\d+)\)/g)) {
    if (type === struct && plain(field ?? '') === plain(inKernel(name))) return Number(offset);
  }
  return undefined;
}

const plain = (name: string) => name.replaceAll('_', '');
const kernelNames: Readonly<Record<string, string>> = {
  supportedAttributes: 'supported_attrs',
  userTdvmcallInfo1R11: 'user_tdvmcallinfo_1_r11',
  count: 'nmsrs',
  word0: 'u.pad[0]',
  word1: 'u.pad[1]',
  word2: 'u.pad[2]',
  word3: 'u.pad[3]',
};

function inKernel(name: string): string {
  return kernelNames[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const bytesOf = ([, type, count = 1]: Field) =>
  type === 'bytes' ? count : count * { u8: 1, u16: 2, u32: 4, u64: 8 }[type];

const words = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff } as const;

function anyValue(field: Field): fc.Arbitrary<unknown> {
  const [, type, count] = field;
  if (type === 'bytes') return fc.uint8Array({ minLength: count, maxLength: count });
  const word: fc.Arbitrary<number | bigint> =
    type === 'u64' ? fc.bigInt(0n, (1n << 64n) - 1n) : fc.nat(words[type]);
  return count === undefined ? word : fc.array(word, { minLength: count, maxLength: count });
}

const anyValues = (layout: Layout<Readonly<Record<string, Field>>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(layout.fields).map(([name, field]) => [name, anyValue(field)]),
    ),
  ) as fc.Arbitrary<ReturnType<typeof layout.decode>>;

describe.each(layouts)('struct %s', (_name, layout) => {
  test('no field lies outside it, none over another, each on its natural boundary', () => {
    const owners = new Set<number>();
    for (const field of Object.values(layout.fields)) {
      const [offset, type, count] = field;
      const width = type === 'bytes' ? 1 : bytesOf(field) / (count ?? 1);
      expect(offset % width).toBe(0);
      for (let at = offset; at < offset + bytesOf(field); at++) {
        expect(at).toBeLessThan(layout.sizeBytes);
        expect(owners.has(at)).toBe(false);
        owners.add(at);
      }
    }
  });

  test('what is written is what is read, and padding stays', () => {
    const padding = fc.uint8Array({ minLength: layout.sizeBytes, maxLength: layout.sizeBytes });
    fc.assert(
      fc.property(anyValues(layout), padding, (values, base) => {
        const bytes = layout.encode(values, base);
        expect(bytes.length).toBe(layout.sizeBytes);
        expect(layout.decode(bytes)).toEqual(values);
        const cleared = layout.encode(layout.decode(base), bytes);
        expect(cleared).toEqual(base);
      }),
    );
  });
});

test('a struct is found wherever its bytes lie in their buffer', () => {
  const buffer = new Uint8Array(64);
  const layout = new Layout(16, { word: [4, 'u32'], long: [8, 'u64'] });
  layout.encodeInto(buffer.subarray(13, 29), { word: 0x0403_0201, long: 5n });
  expect([...buffer.subarray(17, 22)]).toEqual([1, 2, 3, 4, 5]);
  expect(layout.decode(buffer.subarray(13))).toEqual({ word: 0x0403_0201, long: 5n });
});

describe('against the compiled addon', () => {
  test('sizes are those of the compiler', (context) => {
    const sizes = requireAddon(context).testing.structSizes();
    const ours = Object.entries(structs).map(([name, layout]) => [name, layout.sizeBytes] as const);
    const known = [...ours, ['kvm_tdx_init_vm_fixed', fixedSizeInitVm.bytes] as const];
    // The addon also has structs that pass through here as bytes, and has not all that are read here.
    const both = known.filter(([name]) => name in sizes);
    expect(both.length).toBeGreaterThan(20);
    for (const [name, sizeBytes] of both) expect([name, sizeBytes]).toEqual([name, sizes[name]]);
  });

  test('offsets are those that the compiler of the addon has asserted', () => {
    const compared = offsets().map((field) => [field, compiledOffset(field)] as const);
    const known = compared.filter(([, compiled]) => compiled !== undefined);
    expect(known.length).toBeGreaterThan(40);
    for (const [field, compiled] of known) expect(field).toEqual({ ...field, offset: compiled });
  });
});

describe('against <linux/kvm.h>', () => {
  test('sizes and offsets are those of the C compiler, of every struct the header has', (context) => {
    const header = preprocessed() ?? context.skip('there is no C compiler with <linux/kvm.h>');
    const has = (struct: string) => header.includes(`struct ${struct} {`);
    const known = Object.entries(structs).filter(([name]) => has(name));
    const sizes = known.map(([name]) => `sizeof(struct ${name})`);
    const fields = offsets().filter(({ struct }) => has(struct));
    const places = fields.map(
      ({ struct, name }) => `offsetof(struct ${struct}, ${inKernel(name)})`,
    );
    expect(known.length).toBeGreaterThan(20);
    expect(evaluated([...sizes, ...places])).toEqual([
      ...known.map(([, layout]) => layout.sizeBytes),
      ...fields.map(({ offset }) => offset),
    ]);
  });
});

test('the number of an ioctl has the size of its struct', () => {
  const sizeIn = (number: number) => (number >>> 16) & 0x3fff;
  expect(Object.fromEntries(structOf.map(([name]) => [name, sizeIn(ioctlNumbers[name])]))).toEqual(
    Object.fromEntries(structOf.map(([name, struct]) => [name, structs[struct].sizeBytes])),
  );
});

const structOf: readonly (readonly [IoctlName, keyof typeof structs])[] = [
  ['KVM_GET_SUPPORTED_CPUID', 'kvm_cpuid2'],
  ['KVM_GET_MSR_INDEX_LIST', 'kvm_msr_list'],
  ['KVM_GET_MSRS', 'kvm_msrs'],
  ['KVM_X86_SET_MSR_FILTER', 'kvm_msr_filter'],
  ['KVM_ENABLE_CAP', 'kvm_enable_cap'],
  ['KVM_GET_DEVICE_ATTR', 'kvm_device_attr'],
  ['KVM_SET_CLOCK', 'kvm_clock_data'],
  ['KVM_SET_USER_MEMORY_REGION', 'kvm_userspace_memory_region'],
  ['KVM_SET_USER_MEMORY_REGION2', 'kvm_userspace_memory_region2'],
  ['KVM_CREATE_GUEST_MEMFD', 'kvm_create_guest_memfd'],
  ['KVM_LINK_GUEST_MEMFD', 'kvm_link_guest_memfd'],
  ['KVM_SET_MEMORY_ATTRIBUTES', 'kvm_memory_attributes'],
  ['KVM_SET_MEMORY_ATTRIBUTES2', 'kvm_memory_attributes2'],
  ['KVM_PRE_FAULT_MEMORY', 'kvm_pre_fault_memory'],
  ['KVM_GET_DIRTY_LOG', 'kvm_dirty_log'],
  ['KVM_CLEAR_DIRTY_LOG', 'kvm_clear_dirty_log'],
  ['KVM_MEMORY_ENCRYPT_REG_REGION', 'kvm_enc_region'],
  ['KVM_IRQFD', 'kvm_irqfd'],
  ['KVM_IOEVENTFD', 'kvm_ioeventfd'],
  ['KVM_SET_GSI_ROUTING', 'kvm_irq_routing'],
  ['KVM_SIGNAL_MSI', 'kvm_msi'],
  ['KVM_IRQ_LINE', 'kvm_irq_level'],
  ['KVM_REGISTER_COALESCED_MMIO', 'kvm_coalesced_mmio_zone'],
  ['KVM_CREATE_DEVICE', 'kvm_create_device'],
  ['KVM_CREATE_PIT2', 'kvm_pit_config'],
  ['KVM_TPR_ACCESS_REPORTING', 'kvm_tpr_access_ctl'],
  ['KVM_SET_SIGNAL_MASK', 'kvm_signal_mask'],
];
